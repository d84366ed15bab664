"""Simulated messages: states, billing units, log records, callbacks."""
