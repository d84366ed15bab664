"""Redis: where it is, how it is reached, its keys and its scripts."""
