"""What several bucketers share."""
