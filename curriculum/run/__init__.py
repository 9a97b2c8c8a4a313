"""One run: the steps from a configuration to its files."""
