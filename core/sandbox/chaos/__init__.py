"""Chaos: rules that change how sends go, at run time and reproducibly."""
