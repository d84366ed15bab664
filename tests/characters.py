"""Characters that several tests need, found once: a look at each of Unicode takes a third of a
second."""

import sys

#: The digits of all scripts with decimal digits (category Nd).
DECIMALS = [char for char in map(chr, range(sys.maxunicode + 1)) if char.isdecimal()]
