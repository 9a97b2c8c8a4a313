"""What a dry run is made of."""
