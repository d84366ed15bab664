"""What became of each message and call: the ledger of attempts, and what is read from it."""
