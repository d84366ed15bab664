"""Sentences that people read, and the formats of figures."""
