"""What W&B's tracker is made of."""
