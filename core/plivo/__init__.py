"""A pure adapter of Plivo's API. No other room knows how Plivo spells things."""
