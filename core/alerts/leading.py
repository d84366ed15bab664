"""Finds, for one measure, whether the alert of a series explains those of its parts, or one of its
parts explains it.

A part that fails makes its whole look bad. So the whole is judged without the parts that alert: if
the rest is good, the worst of these parts explains the whole. If the rest is bad too, or too small
to say, the whole explains its parts. So a failure of everything is one alert. A part that has all
attempts of its whole is the same, and names it better.
"""

from collections.abc import Callable

import numpy as np

from core.alerts.sequential import Bools, Floats, Indices

#: The rest of a whole is good if the baseline explains it so much better than the change does
#: (Wald's SPRT: a wrong answer has a probability of one in twenty).
REST_IS_GOOD = float(np.log(20.0))


def leads(
    fires: Bools,
    value: Floats,
    parents: Indices,
    attempts: Floats,
    is_rest_good: Callable[[int, Indices], bool],
) -> Indices:
    """The row of the series whose alert explains that of each series, -1 where there is none.
    `value`: the evidence; `attempts` of the day; `is_rest_good` judges a series without some of its
    parts."""
    lead = np.full(len(parents), -1, dtype=np.intp)
    for parent in np.unique(parents[fires & (parents >= 0)]):
        if not fires[parent]:
            continue
        children = np.flatnonzero(fires & (parents == parent))
        is_same = len(children) == 1 and attempts[children[0]] >= attempts[parent]
        if is_same or is_rest_good(int(parent), children):
            lead[parent] = children[value[children].argmax()]
        else:
            lead[children] = parent
    return lead
