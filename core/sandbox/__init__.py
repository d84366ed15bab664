"""The sandbox: a local service that behaves like Plivo and rings a simulated handset.

The product reaches it by HTTP alone, and it imports nothing else of `core`: so the product learns
only what it would learn from Plivo. README.md says what is simulated and what is simplified.
"""
