"""The only place that imports the training libraries, a file each."""
