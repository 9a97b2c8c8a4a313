"""What several data options share."""
