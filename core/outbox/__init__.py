"""Telling WEBHOOK_URL what became of verifications."""
