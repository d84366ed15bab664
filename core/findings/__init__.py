"""Finds what is wrong in a range of figures: which place, since when, and how much it costs."""
