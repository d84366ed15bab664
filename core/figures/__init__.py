"""Delivery figures: how they are stored, added up and queried."""
