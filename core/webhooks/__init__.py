"""Events of verifications, posted to WEBHOOK_URL."""
