"""Rewards made once, in worker processes."""
