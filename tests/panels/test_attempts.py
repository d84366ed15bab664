"""The list of the Attempts page."""

from datetime import timedelta

from core.ledger.explorer import AttemptFilter
from core.model.attempt import AttemptEvent, EventKind, Source
from core.panels.attempts import ATTEMPT_COLUMNS, attempt_frame
from tests.ledger.test_explorer import make
from tests.panels.frames import ZONE
from tests.world import World


def test_a_delivery_before_the_request_has_no_duration_and_a_note_that_clocks_differ(
    at: World,
) -> None:
    attempt = make(at, 1)
    early = at.clock.now() - timedelta(seconds=725)
    at.services.ledger.apply(AttemptEvent(attempt, EventKind.DELIVERED, early, Source.CALLBACK))
    table = attempt_frame(at.services.explorer.page(AttemptFilter()).attempts, ZONE)
    assert table["seconds"].isna().tolist() == [True]
    assert table["note"].tolist() == ["clocks differ"]


def test_an_empty_table_has_all_columns(at: World) -> None:
    assert list(attempt_frame([], ZONE).columns) == list(ATTEMPT_COLUMNS)
    make(at, 1, state=EventKind.DELIVERED)
    table = attempt_frame(at.services.explorer.page(AttemptFilter()).attempts, ZONE)
    assert table["seconds"].tolist() == [2.0]
