"""The timeline of a verification: a row for each attempt, with the time between its steps."""

from collections.abc import Sequence

import streamlit as st

from core.model.clock import to_ms
from core.panels.exchanges import ExchangeLine, step_id
from core.verification.timeline import TimelineRow
from core.wording.formats import duration
from pages.components.assets import script, style
from pages.components.events import ignore
from pages.components.shared import browser_text

_TIMELINE = st.components.v2.component(
    "timeline", js=script("links", "timeline"), css=style("timeline")
)
#: Up to this many rows are all shown; of more, all but the newest two are folded.
_ROWS = 3
_NEWEST = 2


def timeline(
    rows: Sequence[TimelineRow],
    *,
    key: str,
    lines: Sequence[ExchangeLine] = (),
    opens_attempts: bool = False,
) -> None:
    """Draw a row of dots for each attempt, oldest first; in a narrow column, a list for each.

    For a screen reader it is a list of lists; a step that is new or changed is announced. Pass
    future steps as `waiting`, so that a row keeps its size. A step with one of the `lines` opens
    that exchange in `draw_exchanges`. `opens_attempts`: the visitor may see the Attempts page, so
    the label of a row opens its attempt there.
    """
    linked = {step for line in lines for step in line.steps}
    result = _TIMELINE(
        data={
            # A tuple: a list makes Streamlit load pandas, to see whether it is a table.
            "rows": tuple(
                {
                    "attempt": row.attempt,
                    "label": row.label,
                    "href": f"attempts?attempt={row.attempt}"
                    if opens_attempts and row.attempt
                    else "",
                    "offset": f"+ {duration(row.offset)}" if row.offset and number else "",
                    "total": "" if row.total is None else duration(row.total),
                    "is_newest": row is rows[-1],
                    "steps": [
                        {
                            "id": identifier,
                            "label": step.label,
                            "at_ms": to_ms(step.at) if step.at else None,
                            "state": step.state.value,
                            "note": step.note,
                            "gap": "" if step.gap is None else duration(step.gap),
                            "is_linked": identifier in linked,
                        }
                        for step in row.steps
                        for identifier in (step_id(row.attempt, step.kind),)
                    ],
                }
                for number, row in enumerate(rows)
            ),
            "folded": len(rows) - _NEWEST if len(rows) > _ROWS else 0,
        },
        key=key,
        on_opened_change=ignore,
    )
    opened = browser_text(result.opened)
    if opens_attempts and opened and opened in {row.attempt for row in rows}:
        st.switch_page("pages/attempts.py", query_params={"attempt": opened})
