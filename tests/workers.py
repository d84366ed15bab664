"""How the test files are distributed over the workers of pytest-xdist.

There is one worker more than cores, since each waits for a part of its time. No more browser tests
run at once than there are cores, because with more of them pages are too slow: their files are at
the front of the queue, and the additional worker takes files from its end, at a lower priority.
"""

import importlib
import os
from contextlib import suppress
from pathlib import Path

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
#: The id of the additional worker, where the number of workers is not given.
ADDITIONAL = f"gw{CORES}"
#: Of the additional worker and of all that it starts; 0 is the usual one.
NICENESS = 5


class FromBothEnds(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    def _assign_work_unit(self, node: WorkerController) -> None:
        if node.gateway.id == ADDITIONAL:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


def lower_priority_of_additional_worker() -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") == ADDITIONAL:
        os.nice(NICENESS)


def import_share_of_worker(folder: Path) -> None:
    """Import test modules below `folder` before they are collected, each worker other ones.

    After a fresh checkout all workers would compile every module at the same time, for 14 s of a
    processor each. This way each module is compiled by one worker, and the others read its
    bytecode when they collect.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker.startswith("gw"):
        return
    share, shares = int(worker[2:]), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for file in sorted(folder.rglob("test_*.py"))[share::shares]:
        # pytest imports it again, and reports the error.
        with suppress(Exception):
            importlib.import_module(".".join(file.relative_to(folder.parent).with_suffix("").parts))
