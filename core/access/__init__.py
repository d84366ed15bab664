"""Who may come in: the operator by a password, programs by tokens, and how often those may ask."""
