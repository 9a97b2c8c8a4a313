"""What a sequential budget is made of."""
