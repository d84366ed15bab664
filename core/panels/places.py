"""The countries and carriers that the page shows: the first ones, and the sum of all others."""

from math import nan

import numpy as np
import pandas as pd

from core.figures.rates import ENOUGH, wilsons

#: How many places the page shows.
MOST_PLACES = 50
#: In place of the bound of too few attempts: they come last.
_TOO_FEW = 2.0


def first_places(frame: pd.DataFrame, most: int = MOST_PLACES) -> pd.DataFrame:
    """The first places in the order of `country_table`, and one row with the sum of all others, if
    there are any: carriers, and countries none of whose carriers is known. Its country is ""."""
    if len(frame) <= most:
        return frame
    rows = frame.reset_index()
    low, _ = wilsons(rows["confirmed"], rows["requested"])
    low = np.where(rows["requested"] >= ENOUGH, low, nan)
    is_carrier = (rows["carrier"] != "").to_numpy()
    of_country = dict(zip(rows["country"][~is_carrier], low[~is_carrier], strict=True))
    rank = rows["country"].map(of_country).fillna(_TOO_FEW).to_numpy()
    order = np.lexsort((np.nan_to_num(low, nan=_TOO_FEW), is_carrier, rows["country"], rank))
    first, others = frame.iloc[order[:most]], order[most:]
    # Each attempt once: a country as a whole holds those of its carriers.
    known = set(rows["country"][is_carrier])
    once = [n for n in others if is_carrier[n] or rows["country"][n] not in known]
    counts = frame.select_dtypes("int")
    total = counts.iloc[once].sum()
    left = pd.DataFrame([total], index=pd.MultiIndex.from_tuples([("", "")]))
    # What is not a count belongs to one place.
    left["p95_ms"], left["spark"], left["receipts"], left["silent_since"] = nan, [[]], "", pd.NaT
    left.index.names = frame.index.names
    return pd.concat([first, left])
