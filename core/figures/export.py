"""Reads the figures that `/metrics` exports."""

from collections.abc import Callable
from datetime import datetime

from core.figures.cumulative import CumulativeFigures, read_cumulative
from core.figures.pipeline import Pipeline, read_pipeline
from core.figures.ripeness import Ripeness
from core.figures.slot_reader import SlotReader
from core.figures.windows import Window, WindowFigures, read_window
from core.store.client import Client, RawClient
from core.store.keys import Keys


class FigureExport:
    """Caches nothing, so a counter cannot fall when two processes answer in turn. Every method
    raises StoreUnavailable. `client` answers in text, `raw` in bytes; `settle` brings the figures
    up to date."""

    def __init__(
        self,
        client: Client,
        raw: RawClient,
        keys: Keys,
        settle: Callable[[], None],
        ripeness: Ripeness,
    ) -> None:
        self._client = client
        self._keys = keys
        self._settle = settle
        self._ripeness = ripeness
        self._reader = SlotReader(client, raw, keys)

    def cumulative(self, now: datetime) -> CumulativeFigures:
        self._settle()
        return read_cumulative(self._reader, now)

    def windows(self, now: datetime) -> dict[Window, WindowFigures]:
        self._settle()
        return {window: read_window(self._reader, window, now, self._ripeness) for window in Window}

    def pipeline(self) -> Pipeline:
        return read_pipeline(self._client, self._keys)
