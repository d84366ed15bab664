"""The domain: the number that is proved, the code that proves it, and the rules around both."""
