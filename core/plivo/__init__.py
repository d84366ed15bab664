"""A pure adapter of Plivo's API. No other room knows the names of Plivo's fields."""
