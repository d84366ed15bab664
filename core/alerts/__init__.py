"""Alert rules, their evaluation and the states of alerts."""
