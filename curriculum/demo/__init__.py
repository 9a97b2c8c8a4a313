"""A very small model's rollouts on reasoning-gym tasks, and the scripts that make them."""
