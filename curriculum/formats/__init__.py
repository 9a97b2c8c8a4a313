"""What files of problems and rollouts look like."""
