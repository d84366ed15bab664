"""Stores, adds up and queries the delivery figures."""
