"""The form that starts a verification: the number, the way, and the handset beside them."""

from dataclasses import dataclass
from uuid import uuid4
from zoneinfo import ZoneInfo

import streamlit as st

from core.access.admission import BrowserAccess
from core.access.invites import Invite
from core.access.local import is_local
from core.lab.sessions.collector import Collector
from core.model.errors import NumberRefused, StoreUnavailable
from core.model.grant import Grant
from core.model.phone_number import ParsedNumber
from core.model.regions import country_of
from core.model.verification import SendResult, Status
from core.model.way import Way
from core.panels.invites import invite_words
from core.panels.zones import zone_of
from core.plivo.pricing import Prices
from core.plivo.provider import PlivoProvider
from core.settings.settings import Settings
from core.verification.number.parse import AmbiguousNumber
from core.verification.service import Verifications
from core.verification.timeline import waiting_timeline
from core.wording import verification as words
from pages.components.access import current_visitor
from pages.components.badge import badge_for
from pages.components.handset import handset
from pages.components.number_field import candidate_buttons, viewer_region
from pages.components.number_form import number_form
from pages.components.session_value import SessionValue, session_value
from pages.components.shared import plain
from pages.components.timeline import timeline
from pages.components.verify.address import show_verification
from pages.components.verify.layout import columns
from pages.components.verify.lines import Line, draw_lines
from pages.components.verify.preview import draw_preview
from pages.components.verify.recording import forget_item
from pages.components.verify.way import selected_way, way_controls

NUMBER_LABEL = "Phone number"
#: The answer to the last send, until a run shows it.
_LAST_SEND = "verify_last_send"
#: Whether this session has shown the answer to a send.
_ANSWERED = "verify_answered"

state = st.session_state


@dataclass(frozen=True, slots=True)
class TypedNumber:
    """The text of the field; its number if that may be verified; a sentence about it; and the
    numbers to choose from where it is ambiguous."""

    typed: str
    number: ParsedNumber | None
    sentence: str
    candidates: tuple[ParsedNumber, ...] = ()


def draw_form(
    visitor: BrowserAccess,
    verifications: Verifications,
    provider: PlivoProvider,
    prices: Prices,
    settings: Settings,
    collector: Collector,
    *,
    is_unknown: bool,
) -> None:
    """`is_unknown`: the address names a verification that this visitor cannot see."""
    # The key of the next click: a double click repeats it and sends once.
    state.setdefault("request", uuid4().hex)
    places = columns()
    with places.stage:
        # Not to an invited visitor, who can change no setting.
        warnings = [] if visitor.invite else settings.warnings
        introduction = _introduction(visitor.invite, is_unknown=is_unknown)
        draw_lines(introduction, [Line(warning) for warning in warnings])
        region = viewer_region(settings)
        entry = _number_field(visitor.grant, verifications, region)
        way = way_controls()
        obstacle = provider.obstacle(way)
        draw_preview(way, obstacle, entry.number, provider, prices, settings, region=region)
        _send_controls(entry, verifications, region, collector, is_possible=obstacle is None)
    number = entry.number
    badge_for(number.region if number else None)
    with places.side:
        handset(
            number.international if number else None,
            phone=_phone_of(number) if number else None,
            sandbox=settings.is_sandbox,
            length=settings.code_length,
            brand=settings.brand,
            key="verify_phone",
        )
    with places.rest:
        timeline(waiting_timeline(selected_way()), key="verify_steps")


def _phone_of(number: ParsedNumber) -> str | None:
    """The number's handset; elsewhere than on this machine, only that of a verification is open."""
    if is_local(st.context.ip_address, st.context.headers):
        return f"/sandbox/handset/{number.digits}"
    return None


def _introduction(invite: Invite | None, *, is_unknown: bool) -> str:
    if is_unknown:
        return "That verification is not known, or is no longer kept. Start a new one."
    if invite:
        return plain(invite_words(invite, ZoneInfo(zone_of(None, st.context.timezone))))
    return "Send a code, enter it, and see each step."


def _number_field(grant: Grant, verifications: Verifications, region: str | None) -> TypedNumber:
    typed = st.text_input(
        NUMBER_LABEL,
        type="phone",
        live=True,
        key="verify_typed",
        placeholder=verifications.numbers.example(region),
        persist_state="session",
    )
    entry = _read(typed or "", region, grant, verifications)
    with st.container(key="verify_read"):
        st.caption(entry.sentence, width="stretch")
        # Always drawn, also empty: else the elements below would change their place in the run.
        candidate_buttons(entry.candidates, _use, key="verify_reading")
    return entry


def _use(e164: str) -> None:
    state.verify_typed = e164


def _read(
    typed: str, region: str | None, grant: Grant, verifications: Verifications
) -> TypedNumber:
    if not typed:
        default = f"Without a country code: {country_of(region)}." if region else ""
        return TypedNumber(typed, None, f"In any format. {default}")
    try:
        number = verifications.numbers.read(typed, region=region, way=selected_way())
    except AmbiguousNumber as error:
        return TypedNumber(typed, None, f"**{error.cause}** {error.remedy}", error.candidates)
    except NumberRefused as error:
        return TypedNumber(typed, None, f":red[{error.cause}] {error.remedy}")
    if not grant.covers(number.region):
        cause, remedy = words.NOT_COVERED
        return TypedNumber(typed, None, f":red[{cause}] {remedy}")
    # The numbering plan of most countries names carriers; that of the United States does not.
    facts = [f"**{number.international}**", number.country, number.kind.words, number.carrier]
    return TypedNumber(typed, number, " · ".join(filter(None, facts)))


def _send_controls(
    entry: TypedNumber,
    verifications: Verifications,
    region: str | None,
    collector: Collector,
    *,
    is_possible: bool,
) -> None:
    running = number_form(
        NUMBER_LABEL,
        request=state.request,
        is_first=not state.get(_ANSWERED),
        on_enter=lambda entered, request: send_code(
            entered, region, request, verifications, collector
        ),
        on_kept_request=_take_up,
        key="verify_number_form",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Send code",
            type="primary",
            icon=":material/send:",
            key="verify_next",
            on_click=_send_typed,
            args=(region, state.request, verifications, collector),
            disabled=entry.number is None or not is_possible,
        )
        _continue_button(running, verifications)
        # Beside the button, where it moves nothing.
        last = session_value(_LAST_SEND)
        if last.value is not None:
            st.error(f"**{plain(last.value.cause)}** {plain(last.value.remedy)}", width="stretch")
            last.value = None


def _take_up(request: str) -> None:
    """Go on with the request that the window has kept: its form, sent again, sends nothing."""
    if not state.get(_ANSWERED):
        state.request = request


def _continue_button(running: str | None, verifications: Verifications) -> None:
    """Opens the verification that was last open in this window, while it is pending."""
    view = verifications.look(running, current_visitor().grant) if running else None
    if view is not None and view.verification.status is Status.PENDING:
        st.button(
            f"Continue with ••{view.verification.to.masked[-2:]}",
            type="tertiary",
            icon=":material/arrow_forward:",
            on_click=show_verification,
            args=(view.verification.id,),
        )


def _send_typed(
    region: str | None, key: str, verifications: Verifications, collector: Collector
) -> None:
    # Not the text of the run that drew the button: the field may have been edited since, and the
    # click comes with what it has now.
    send_code(str(state.get("verify_typed") or ""), region, key, verifications, collector)


def send_code(
    typed: str, region: str | None, key: str, verifications: Verifications, collector: Collector
) -> None:
    """A callback: start a verification, which the test session collects; the next run shows it. A
    second click has the same `key` and sends nothing."""
    last, way = session_value(_LAST_SEND), selected_way()
    with st.spinner("Waiting for Plivo", show_time=True):
        try:
            result = verifications.start(
                typed,
                way,
                grant=current_visitor().grant,
                # The same form sent twice is one request; a changed form is another request.
                idempotency_key=" ".join((key, typed, way.name)),
                region=region,
                locale=st.context.locale,
                address=st.context.ip_address,
            )
            collector.started(result, way, lambda: _masked(typed, region, way, verifications))
            last.value = result
        except StoreUnavailable as error:
            last.value = error


def show_last_send() -> None:
    """Show the verification that the last send has started; the form shows why there is none. Call
    it first in a run."""
    last: SessionValue[SendResult | StoreUnavailable | None] = session_value(_LAST_SEND)
    if not isinstance(last.value, SendResult):
        return
    state.request, state[_ANSWERED] = uuid4().hex, True
    if last.value.verification:
        forget_item()
        show_verification(last.value.verification)
        last.value = None


def _masked(typed: str, region: str | None, way: Way, verifications: Verifications) -> str:
    """The number of a refused send, masked; "" where it cannot be read."""
    try:
        return verifications.numbers.read(typed, region=region, way=way).masked
    except NumberRefused:
        return ""
