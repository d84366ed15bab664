"""Access control: the operator's password, invites, tokens of programs, and request limits."""
