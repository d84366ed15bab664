"""Facts about Plivo as tables and pure functions. Imports nothing else of the sandbox."""
