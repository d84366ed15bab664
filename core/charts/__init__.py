"""Charts as ECharts options: a frame in, a dict out, with its text alternative.

Colours are an Okabe-Ito set, shifted to keep 3:1 against each ground; a state has the same colour
and the same shape everywhere, and a name beside it, so colour never speaks alone. A chart knows two
widths: under `axes.NARROW` pixels it puts its legend into rows of its own.
"""
