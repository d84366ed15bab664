"""Who may see the operator's pages: one password, of which only an argon2 hash is known."""
