"""Applies events to attempts, and reads attempts and their exchanges."""
