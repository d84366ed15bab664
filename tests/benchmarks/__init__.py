"""Measurements, each runnable alone: `python -m tests.benchmarks.check`.

Each prints a table for people and, as its last line, one JSON object. Times on a shared machine
mean little by themselves, so each has a reference in the same run, in turns with what is measured.
"""
