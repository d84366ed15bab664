"""HTTP routes beside the pages: Plivo's callbacks and the push that wakes the pages."""
