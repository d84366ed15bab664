"""Judges every measure of every series at one moment."""

from collections.abc import Iterator, Sequence

import numpy as np

from core.alerts.baseline import DAYS, UsualFigures
from core.alerts.excluded_places import ExcludedPlaces
from core.alerts.judgement import Alerting, Judgement
from core.alerts.measures import SHARES, Measure
from core.alerts.price import judge_price
from core.alerts.shares import judge_share
from core.alerts.slots import Slots
from core.alerts.traffic import judge_traffic
from core.alerts.wholes import whole_of
from core.model.series import Series


def judge(
    series: Sequence[Series], slots: Slots, usual: UsualFigures, alerting: dict[Measure, Alerting]
) -> Iterator[Judgement]:
    """The judgements of all measures."""
    rows = {name: row for row, name in enumerate(series)}
    parents = np.array([rows.get(whole_of(name), -1) for name in series], dtype=np.intp)
    traffic = judge_traffic(slots, usual, alerting[Measure.TRAFFIC], parents)
    pumped = (traffic.evidence >= 1) & (traffic.observed > traffic.baseline)
    requested = slots.figures["requested"].sum(axis=1)
    is_new = requested > usual.requested_per_day * DAYS
    excluded = ExcludedPlaces(parents, pumped | is_new)
    yield traffic
    for share in SHARES:
        yield judge_share(share, slots, usual, alerting[share.measure], excluded)
    yield judge_price(series, slots, usual, parents)
