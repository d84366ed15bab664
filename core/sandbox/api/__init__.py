"""The HTTP interfaces of the sandbox: Plivo's API, and what testers need beside it (handsets, inbox,
waits, leases, endings, chaos, sends, the log of callbacks)."""
