"""Finished work on disk, shared by every run that asks for the same."""
