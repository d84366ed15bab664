"""Reads typed text as a phone number that may be verified, or says why it may not."""
