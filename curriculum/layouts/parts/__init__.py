"""What stage files are made of."""
