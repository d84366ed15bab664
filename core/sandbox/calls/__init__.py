"""Simulated calls: their life, the XML that they follow, their records."""
