"""Tools of testers: test sessions, and clients of the sandbox (inbox, endings, chaos, leases)."""
