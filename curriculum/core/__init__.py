"""The vocabulary: what flows from step to step; it imports nothing else of this package."""
