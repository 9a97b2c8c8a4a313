"""Two runs on the same problems: what has changed, and how much of it luck alone would change."""
