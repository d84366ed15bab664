"""Resets the sandbox: all of its state, or selected kinds."""
