"""One evaluation of all series: judgements, the statuses that follow, and what explains them."""

from collections.abc import Sequence

from core.alerts.baseline import UsualFigures
from core.alerts.explaining import with_leaders, without_ended_leaders
from core.alerts.judging import judge
from core.alerts.records import Place, StoredStatus
from core.alerts.slots import Slots
from core.alerts.stepping import Statuses, alerting, next_statuses
from core.model.series import Series


def evaluated(
    series: Sequence[Series], slots: Slots, usual: UsualFigures, before: Statuses, now_ms: int
) -> dict[Place, StoredStatus]:
    """The statuses at `now_ms`, based on those of the check before."""
    kept: dict[Place, StoredStatus] = {}
    leads: dict[Place, Series] = {}
    for judged in judge(series, slots, usual, alerting(series, before)):
        for row, entry in next_statuses(series, judged, before, now_ms):
            kept[entry.place] = entry
            if judged.lead[row] >= 0:
                leads[entry.place] = series[judged.lead[row]]
    return with_leaders(without_ended_leaders(before, kept, now_ms), leads)
