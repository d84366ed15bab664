"""Builds charts as ECharts options from frames, each with a text alternative.

Colours are an Okabe-Ito set, shifted to keep a contrast of 3:1 with each ground. A state has the
same colour and shape everywhere, and its word beside them (`core.wording.marks`). A chart has two
layouts: up to `axes.NARROW` pixels wide its legend has rows of its own.
"""
