"""Rollouts made once, in parts."""
