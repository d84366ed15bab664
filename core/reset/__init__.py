"""Takes the sandbox back to its beginning, whole or by kind."""
