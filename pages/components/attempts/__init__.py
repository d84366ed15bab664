"""The two halves of the Attempts page: the list, and one attempt."""
