"""Asks Plivo about attempts and passes the answers to the ledger: polling and log sync."""
