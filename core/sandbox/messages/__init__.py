"""Simulated messages: their life, their parts, their records."""
