"""Goes on with sample traffic in the background: what a click began, also before a restart."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from core.background import Periodic
from core.sample.control import SampleControl

if TYPE_CHECKING:
    from core.sample.loading import Sample

#: How long it takes at most to go on after a restart; a click wakes the worker.
TICK = timedelta(seconds=5)


def sample_worker(control: SampleControl, sample: Callable[[], "Sample"]) -> Periodic:
    """`sample` is called when there is work: it loads numpy and pandas."""

    def run() -> None:
        if control.state().status.has_work:
            sample().work(worker.stopping.is_set)

    worker = Periodic("sample traffic", run, TICK)
    return worker
