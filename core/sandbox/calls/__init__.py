"""Simulated calls: states, the Plivo XML they execute, log records, callbacks."""
