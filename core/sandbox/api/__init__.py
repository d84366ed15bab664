"""The HTTP interfaces of the sandbox: Plivo's API, and beside it what testers need (handsets,
inbox, waits, leases, endings, chaos, sends, the log of callbacks)."""
