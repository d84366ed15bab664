"""Verify: prove that a person holds a phone number, and watch how it is done."""

from uuid import uuid4
from zoneinfo import ZoneInfo

import streamlit as st

from core.access.admission import BrowserAccess
from core.model.clock import to_ms
from core.model.errors import NumberRefused
from core.model.grant import Grant
from core.model.verification import CheckOutcome, SendOutcome, SendResult, Status, View
from core.model.way import Channel, Mode, Way
from core.panels.invites import invite_words
from core.panels.query_state import zone_of
from core.verification.number.parse import AmbiguousNumber, PhoneNumber, country_of
from core.verification.timeline import timeline as steps_of
from core.verification.timeline import waiting_timeline
from core.wording import verification as words
from pages.components.access import asker, invite_refused, sign_in
from pages.components.badge import badge_for
from pages.components.code_panel import NoticeKind, code_panel
from pages.components.handset import handset
from pages.components.live import live
from pages.components.number_field import candidate_buttons, region_here
from pages.components.number_form import number_form
from pages.components.reset import reset_choices
from pages.components.scenes import scenes
from pages.components.shared import outage_shown, plain, services
from pages.components.timeline import timeline
from pages.components.verdict import verdict

CHANNELS = {Channel.SMS: "SMS", Channel.VOICE: "Call", Channel.PHLO: "PHLO"}
MODES = {Mode.SMS: "as SMS", Mode.CALL: "as call"}
NUMBER_LABEL = "Phone number"
COLUMN = 380  # pixels: two columns from about 900, one below

#: Endings of sandbox numbers worth trying first; README has the whole table.
TRIALS = {
    "0030": "the carrier refuses the message as spam",
    "0080": "the phone is switched off",
    "0450": "the country is barred",
    "0705": "the message is 5 seconds late",
    "0700": "no delivery report ever comes",
    "0402": "the account has no credit",
    "0408": "Plivo's answer never comes",
    "3010": "the line is busy",
    "9100": "a machine takes the call",
    "0600": "a budget refuses the send",
}

app = services()
state = st.session_state
state.setdefault("request", uuid4().hex)


def main() -> None:
    """The form, or the verification that the address names."""
    title, other = st.columns([5, 3], vertical_alignment="bottom")
    title.title("Verify a phone number", anchor=False)
    if app.settings.is_sandbox:
        with other.container(horizontal=True, horizontal_alignment="right"):
            with st.popover("Sandbox numbers", icon=":material/science:"):
                _trials()
            with st.popover("Reset", icon=":material/restart_alt:"):
                reset_choices(app)
    for warning in app.settings.warnings:
        st.warning(warning)
    verification = st.query_params.get("verification")
    with outage_shown(key="verify_try_again"):
        if refused := invite_refused():
            st.error(f"**{refused[0]}** {refused[1]}", icon=":material/link_off:")
        asked = asker()
        found = app.verifications.look(verification, asked.grant) if verification else None
        if found:
            badge_for(found.verification.region)
            _verification(found.verification.id)
        elif asked.grant.refusal:
            _door(asked)
        else:
            _form(asked, unknown=bool(verification))


def _door(asked: BrowserAccess) -> None:
    """In place of the form, for those who may not send: why, and what helps."""
    badge_for(None)
    if asked.grant.refusal and not invite_refused():
        cause, remedy = asked.grant.refusal
        st.info(f"**{cause}** {remedy}", icon=":material/lock:")
    st.subheader("Sign in as the operator", anchor=False)
    sign_in(asked.gate, "/")


def _trials() -> None:
    st.markdown("No message leaves this machine. The last four digits of a number decide its fate:")
    st.markdown("\n".join(f"- **{ending}**: {fate}" for ending, fate in TRIALS.items()))
    example = app.verifications.example(region_here(app), ending="0030")
    st.caption(
        f"{f'For example {example}. ' if example else ''}"
        "Any other ending is delivered in about a second."
    )


def _form(asked: BrowserAccess, *, unknown: bool) -> None:
    grid = st.grid(2, min_column_width=COLUMN, gap="medium")
    with grid.cell():
        number = _choose(asked, unknown=unknown)
    badge_for(number.region if number else None)
    with grid.cell():
        handset(
            number.international if number else None,
            phone=f"/sandbox/handset/{number.digits}" if number else None,
            sandbox=app.settings.is_sandbox,
            length=app.settings.code_length,
            brand=app.settings.brand,
            key="verify_phone",
        )
    timeline(waiting_timeline(_way()), key="verify_steps")


def _choose(asked: BrowserAccess, *, unknown: bool) -> PhoneNumber | None:
    if unknown:
        st.info("That verification is not known, or is no longer kept. Start a new one.")
    if asked.invite:
        zone = ZoneInfo(zone_of(None, st.context.timezone))
        st.caption(plain(invite_words(asked.invite, zone)))
    region = region_here(app)
    typed = st.text_input(
        NUMBER_LABEL,
        type="phone",
        live=True,
        key="verify_typed",
        placeholder=app.verifications.example(region),
        persist_state="session",
    )
    number, said, candidates = _read(typed, region, asked.grant)
    st.caption(said, width="stretch")
    # Also without any: what follows keeps its place, and is not drawn twice during a run.
    candidate_buttons(candidates, _use, key="verify_reading")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        channel = st.segmented_control(
            "Send the code by",
            list(CHANNELS),
            format_func=CHANNELS.__getitem__,
            default=Channel.SMS,
            required=True,
            key="verify_channel",
            persist_state="session",
        )
        st.segmented_control(
            "The PHLO sends it",
            list(MODES),
            format_func=MODES.__getitem__,
            default=Mode.SMS,
            required=True,
            key="verify_mode",
            disabled=channel is not Channel.PHLO,
            persist_state="session",
        )
    st.caption(_about(_way()))
    running = number_form(
        NUMBER_LABEL,
        request=state.request,
        on_enter=lambda entered, request: _send(entered, region, request),
        key="verify_number_form",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Send code",
            type="primary",
            icon=":material/send:",
            on_click=_send,
            args=(typed, region, state.request),
            disabled=number is None,
        )
        _continue_link(running)
    refused = state.pop("verify_refused", None)
    if refused is not None:
        st.error(f"**{plain(refused.cause)}** {plain(refused.remedy)}")
    return number


def _continue_link(running: str | None) -> None:
    """To the verification that this window left while it was running."""
    view = app.verifications.look(running, asker().grant) if running else None
    if view is not None and view.verification.status is Status.PENDING:
        st.button(
            f"Continue with ••{view.verification.to_masked[-2:]}",
            type="tertiary",
            icon=":material/arrow_forward:",
            on_click=_open,
            args=(view.verification.id,),
        )


def _open(verification: str) -> None:
    # Not st.page_link: from a page to itself it leaves the address as it is.
    st.query_params["verification"] = verification


def _use(e164: str) -> None:
    state.verify_typed = e164


def _read(
    typed: str | None, region: str | None, grant: Grant
) -> tuple[PhoneNumber | None, str, tuple[PhoneNumber, ...]]:
    """The number, if it may be verified, what to say of what was typed, and the numbers to choose
    from if it can mean several."""
    if not typed:
        where = f"Without a country code: {country_of(region)}." if region else ""
        return None, f"In any format. {where}", ()
    try:
        number = app.verifications.read_number(typed, region=region, way=_way())
    except AmbiguousNumber as error:
        return None, f"**{error.cause}** {error.remedy}", error.candidates
    except NumberRefused as error:
        return None, f":red[{error.cause}] {error.remedy}", ()
    if not grant.covers(number.region):
        cause, remedy = words.NOT_COVERED
        return None, f":red[{cause}] {remedy}", ()
    carrier = number.carrier or "carrier not in the numbering plan"
    return (
        number,
        f"**{number.international}** · {number.country} · {number.kind.words} · {carrier}",
        (),
    )


def _about(way: Way) -> str:
    """What will be sent, in a line."""
    obstacle = app.provider.obstacle(way)
    if obstacle:
        return f":orange[{obstacle[0]}] {obstacle[1]}"
    match way:
        case Way.SMS:
            text, measure = app.provider.preview(app.settings.lifetime_minutes)
            parts = "1 part" if measure.parts == 1 else f"{measure.parts} parts"
            return f"“{text}” · {measure.units} characters, {parts}"
        case Way.VOICE:
            return "The call asks for a key and then reads the code out, digit by digit."
        case Way.PHLO_SMS | Way.PHLO_CALL:
            return "Your visual workflow gets from, to, otp and mode, and does the rest."


def _send(typed: str, region: str | None, key: str) -> None:
    """Runs once for a click. `key` came with the button: a second click on it sends nothing."""
    with (
        outage_shown(key="verify_try_again_send"),
        st.spinner("Plivo is being asked", show_time=True),
    ):
        result = app.verifications.start(
            typed,
            _way(),
            grant=asker().grant,
            # The same click twice is one request; a changed form is another.
            idempotency_key=" ".join((key, typed, _way().name)),
            region=region,
            locale=st.context.locale,
            address=st.context.ip_address,
        )
        state.request = uuid4().hex
        if result.verification:
            st.query_params["verification"] = result.verification
        else:
            state.verify_refused = result


@st.fragment
def _verification(verification: str) -> None:
    """One verification, drawn again at each of its changes; nothing else of the page is."""
    with outage_shown(key="verify_try_again_part"):
        view = app.verifications.look(verification, asker().grant)
        if view is None:
            st.rerun()
        live(verification, is_running=view.verification.status is Status.PENDING, key="verify_live")
        grid = st.grid(2, min_column_width=COLUMN, gap="medium")
        with grid.cell():
            _task(view)
        with grid.cell():
            # The page has no more of the number than its mask: others may have its link.
            handset(
                view.verification.to_masked,
                phone=f"/phone/{verification}/handset",
                sandbox=app.settings.is_sandbox,
                length=view.verification.digits,
                brand=app.settings.brand,
                references=view.references if view.verification.status is Status.PENDING else (),
                since_ms=to_ms(view.verification.started_at),
                key="verify_phone",
            )
        timeline(steps_of(view), key="verify_steps")
        behind = st.expander("Behind the scenes", on_change="rerun", key="verify_behind")
        if behind.open:
            with behind:
                began = to_ms(view.verification.started_at)
                scenes(app.exchanges.of(verification), began)


def _task(view: View) -> None:
    verification = view.verification
    st.caption(
        f"{verification.to_masked} · {verification.country} · {CHANNELS[verification.way.channel]}"
    )
    for over in view.over_budgets:
        st.warning(plain(words.budget_warning(over, view.now)), icon=":material/speed:")
    is_final = verification.status is not Status.PENDING
    verdict(words.status_words(view), is_final=is_final, key="verify_verdict")
    if is_final:
        if st.button("Verify another number", type="primary"):
            _start_over()
        return
    notice, kind = _notice(view)
    offer = view.call_offer
    events = code_panel(
        verification=verification.id,
        digits=verification.digits,
        brand=app.settings.brand,
        expires_ms=to_ms(verification.expires_at),
        now_ms=to_ms(view.now),
        checks_left=verification.checks_left,
        checks_allowed=verification.checks_allowed,
        resend_ms=to_ms(verification.next_send_at),
        call_ms=to_ms(offer.at) if offer else None,
        call_reason=offer.reason if offer else "",
        notice=notice,
        notice_kind=kind,
        key="verify_panel",
    )
    if events.entered is not None:
        _check(view, events.entered)
    elif events.resend or events.call:
        state.notice = _resend(view, call=events.call)
    elif events.cancel:
        app.verifications.cancel(verification.id, asker().grant)
    elif not events.expired:
        return
    st.rerun(scope="fragment")


def _check(view: View, entered: str) -> None:
    result = app.verifications.check(
        view.verification.id, entered, asker().grant, address=st.context.ip_address
    )
    if result.outcome is not CheckOutcome.APPROVED:
        said = words.check_words(result, view.verification.digits)
        state.notice = (view.verification.id, f"{said.headline} {said.detail}", "wrong")


def _resend(view: View, *, call: bool) -> tuple[str, str, NoticeKind] | None:
    result: SendResult = app.verifications.resend(
        view.verification.id,
        grant=asker().grant,
        seen=view.verification.attempts,
        call=call,
        address=st.context.ip_address,
    )
    if result.outcome in {SendOutcome.SENT, SendOutcome.DUPLICATE}:
        return None
    # What Plivo said is already told by the headline, from the attempt itself.
    if result.outcome in {SendOutcome.REJECTED, SendOutcome.UNKNOWN}:
        return None
    return view.verification.id, f"{result.cause} {result.remedy}", "warning"


def _notice(view: View) -> tuple[str, NoticeKind]:
    """What was last said about this verification; of another one it says nothing."""
    notice = state.get("notice")
    if notice is None or notice[0] != view.verification.id:
        return "", "quiet"
    return notice[1], notice[2]


def _start_over() -> None:
    st.query_params.clear()
    state.pop("notice", None)
    # The whole page, not the fragment alone: what the address names has changed.
    st.rerun()


def _way() -> Way:
    return Way.of(state.get("verify_channel") or Channel.SMS, state.get("verify_mode") or Mode.SMS)


main()
