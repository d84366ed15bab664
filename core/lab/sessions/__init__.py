"""Manual test sessions: their model, their records in Redis, and their checklists."""
