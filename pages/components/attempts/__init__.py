"""The two views of the Attempts page: the list, and a single attempt."""
