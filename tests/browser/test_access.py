"""Who may send, seen from a browser: the password, an invite from its making to each of its ends,
sessions that end on the server, and what a page's data holds."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, WebSocket, expect

from core.services import Services
from tests.browser.conftest import PASSWORD, App

PATIENCE_MS = 20_000


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    """Another person's browser."""
    opened = browser.new_context(locale="en-US", timezone_id="America/New_York")
    yield opened.new_page()
    opened.close()


@pytest.fixture
def operator(page: Page) -> Page:
    return page


def says(page: Page, text: str) -> None:
    expect(page.get_by_text(text).filter(visible=True).first).to_be_visible(timeout=PATIENCE_MS)


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible(
        timeout=PATIENCE_MS
    )


def make_invite(page: Page, label: str, sends: int) -> str:
    """On the page Access, which is open; returns the link."""
    page.get_by_label("For", exact=True).fill(label)
    page.get_by_label("Sends", exact=True).fill(str(sends))
    link = page.locator("code").filter(has_text="/invite/").first
    older = link.inner_text() if link.is_visible() else ""
    page.get_by_role("button", name="Make invite").click()
    expect(link).to_have_text(re.compile(f"^(?!{re.escape(older)}$).+"), timeout=PATIENCE_MS)
    return link.inner_text().strip()


def send(page: Page, number: str) -> None:
    field = page.get_by_label("Phone number")
    field.fill(number)
    field.press("Tab")
    page.get_by_role("button", name="Send code").click()


def test_an_invite_from_its_making_to_its_last_send_and_its_revocation(
    guarded: App, operator: Page, visitor: Page
) -> None:
    visitor.goto(guarded.address)
    says(visitor, "an invite is needed")
    says(visitor, "Nothing leaves this machine.")
    expect(visitor.get_by_role("button", name="Send code")).to_have_count(0)

    sign_in(operator, f"{guarded.address}/access?kept=a%20b")
    assert operator.url == f"{guarded.address}/access?kept=a+b"
    once = make_invite(operator, "Once", 1)
    other = make_invite(operator, "Other", 5)

    frames: list[str] = []
    visitor.on("websocket", lambda socket: _record(socket, frames))
    visitor.goto(once)
    says(visitor, 'Invite "Once": 1 of 1 send left')
    assert visitor.url == f"{guarded.address}/"
    send(visitor, "+1 415 555 2345")
    expect(visitor.get_by_role("textbox", name=re.compile("code", re.I)).first).to_be_visible()
    running = visitor.url
    frames.clear()
    visitor.reload()
    says(visitor, "Delivered")
    assert frames
    assert not [one for one in frames if "4155552345" in re.sub(r"[^\d]", "", one)]
    assert "•" in "".join(frames)

    visitor.goto(guarded.address)
    says(visitor, "This invite has no sends left.")

    visitor.goto(other)
    says(visitor, "5 of 5 sends left")
    visitor.goto(running)
    says(visitor, "That verification is not known")

    operator.goto(running)
    says(operator, "Delivered")

    revoke_newest(operator, guarded)
    visitor.goto(guarded.address)
    says(visitor, "This invite was revoked.")
    visitor.goto(f"{other}x")
    says(visitor, "This is not a valid invite link.")


def revoke_newest(operator: Page, app: App) -> None:
    """Revoke the newest invite."""
    table = tick_newest(operator, app)
    operator.get_by_role("button", name="Revoke invite").click()
    # The cells of a canvas are in the document but never visible; a toast does not stay.
    state = table.get_by_role("gridcell", name="revoked", include_hidden=True)
    expect(state.first).to_be_attached(timeout=PATIENCE_MS)


def tick_newest(operator: Page, app: App) -> Locator:
    """Tick the newest invite on the page Access; returns the table."""
    operator.goto(f"{app.address}/access")
    table = operator.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible(timeout=PATIENCE_MS)
    # The first row's box, in the table's drawing.
    table.locator(".dvn-scroller").click(position={"x": 16, "y": 52})
    return table


def test_no_invite_of_another_tab_is_revoked_in_place_of_the_ticked_one(
    loaded: App, beside: Services, page: Page
) -> None:
    ends_at = datetime.now(UTC) + timedelta(days=1)
    beside.invites.make("Ticked", sends=1, ends_at=ends_at)
    tick_newest(page, loaded)
    revoke = page.get_by_role("button", name="Revoke invite")
    expect(revoke).to_be_visible(timeout=PATIENCE_MS)
    beside.invites.make("Newer", sends=1, ends_at=ends_at)
    revoke.click()
    says(page, "Tick a row")
    assert [invite.revoked_at for invite in beside.invites.all()] == [None, None]


def test_signing_out_stops_pages_that_are_open_elsewhere(
    guarded: App, operator: Page, context: BrowserContext
) -> None:
    sign_in(operator, f"{guarded.address}/delivery?refresh=15%20s")
    says(operator, "Delivery")
    second = context.new_page()
    second.goto(f"{guarded.address}/access")
    second.get_by_role("button", name="Sign out everywhere").click()
    expect(second).to_have_url(re.compile(r"/$"), timeout=PATIENCE_MS)
    # The first page is not touched: its next refresh asks for the password.
    expect(operator.get_by_label("Password")).to_be_visible()


def _record(socket: WebSocket, frames: list[str]) -> None:
    def note(payload: object) -> None:
        raw = payload if isinstance(payload, bytes) else str(payload).encode()
        frames.append(raw.decode("utf-8", "ignore"))

    socket.on("framereceived", note)
