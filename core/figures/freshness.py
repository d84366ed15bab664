"""How new the figures are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.figures.fold import FoldMark
from core.model.clock import read_ms
from core.store.client import Client
from core.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Freshness:
    """How new the figures are. `through`: when the newest event of any attempt was received;
    `newest_attempt`: when the newest attempt was requested. None without any."""

    through: datetime | None
    now: datetime
    newest_attempt: datetime | None = None

    @property
    def lag(self) -> timedelta | None:
        """How old the newest event is."""
        return self.now - self.through if self.through else None

    @property
    def attempt_age(self) -> timedelta | None:
        return self.now - self.newest_attempt if self.newest_attempt else None


def read_freshness(client: Client, keys: Keys, now: datetime, *, has_figures: bool) -> Freshness:
    """How new the figures are at `now`. Raises StoreUnavailable."""
    newest = client.zrevrange(keys.recent, 0, 0)
    score = client.zscore(keys.recent, newest[0]) if newest else None
    try:
        requested = None if score is None else read_ms(f"{score:.0f}")
    except ValueError:
        requested = None
    folded = client.get(keys.folded)
    # After the removal of sample traffic there is a newest fold, but there are no figures.
    if not folded or not has_figures:
        return Freshness(requested, now, requested)
    # The moment is from the clock of Redis, which may differ from ours.
    redis_now_ms = int(client.info("server")["server_time_usec"]) // 1000
    age_ms = max(0, redis_now_ms - FoldMark.parse(folded).last_ms)
    folded_at = now - timedelta(milliseconds=age_ms)
    return Freshness(max(folded_at, requested or folded_at), now, requested)
