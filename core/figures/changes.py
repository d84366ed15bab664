"""Finds what folds have changed since the last time. Figures change by folds only."""

from core.figures.additions import ChangedPlace
from core.figures.fold import FOLD_SIGN, FoldMark, read_changed
from core.store.client import RawClient
from core.store.keys import Keys
from core.store.scripts import Scripts

#: More changed places cost more than to read everything again.
_MOST_CHANGES = 5_000
_NEVER = FoldMark("", 0, "")


class FigureChanges:
    """The changes that one reader has not seen yet."""

    def __init__(self, raw: RawClient, keys: Keys) -> None:
        self._scripts = Scripts(raw)
        self._keys = keys
        self._mark = _NEVER

    def read(self) -> list[ChangedPlace] | None:
        """The places that have changed since the last call; None where everything may have: at the
        first call, after a reset, after a failover that lost the last fold that was seen, and where
        nothing has been folded. Raises StoreUnavailable."""
        folded, changed = self._scripts.run(
            "read_changes", [self._keys.folded, self._keys.changed], self._mark._asdict()
        )
        if not folded:
            self._mark = _NEVER
            return None
        self._mark = FoldMark.parse(folded.decode())
        if changed == b"all" or len(changed) > _MOST_CHANGES:
            return None
        texts = [text.decode() for text in changed]
        return [read_changed(text) for text in texts if not text.startswith(FOLD_SIGN)]
