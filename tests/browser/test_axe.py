"""No page has a violation of WCAG 2.2 A and AA that axe finds, in both themes, at a desk and on a
phone; headings are in order, controls have the size of a finger. No part of a page is left out."""

import re
from contextlib import suppress
from importlib.resources import files
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from core.services import Services
from tests.browser.conftest import PASSWORD, App, Pictures
from tests.browser.test_access import make_invite
from tests.browser.test_chaos import chaos
from tests.browser.test_delivery import ALL_OPEN, ATTEMPTS_NOTE, LAST, WEEK
from tests.browser.test_verify import expect_verified, fresh_number, open_form, send, use_code
from tests.browser.test_walk import settled

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
#: By tag or name. The named ones are best practice for axe.
RULES = [
    *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"),
    *("heading-order", "landmark-one-main", "page-has-heading-one", "empty-heading"),
]
DESK, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
#: The largest edge, in pixels, at which a finger misses.
FINGER = 44

#: Violations, in words.
RUN_AXE = """async (rules) => {
  const all = axe.getRules().filter(
    (rule) => [rule.ruleId, ...rule.tags].some((name) => rules.includes(name))
      && !rule.tags.includes("experimental")
  ).map((rule) => rule.ruleId);
  const results = await axe.run({resultTypes: ["violations"], runOnly: all});
  return results.violations.flatMap((violation) => violation.nodes.map(
    (node) => `${violation.id}: ${node.failureSummary} ${node.html.slice(0, 200)}`));
}"""
#: In what is not rendered, such as a closed expander, no transition ends.
TRANSITIONS = """() => Promise.all(document.getAnimations()
  .filter((animation) => animation instanceof CSSTransition)
  .filter((transition) => transition.effect.target.checkVisibility())
  .map((transition) => transition.finished.catch(() => null)))"""
#: Controls, also in shadow roots, that are smaller than a finger. A link in a text is as high as
#: the text (WCAG 2.5.8, inline); a box or radio is hit by its label, a link in a table by its row;
#: the skip link has no size until it has the focus; a hidden field is not hit at all.
SMALL_TARGETS = """(least) => {
  const found = [], roots = [document];
  const controls = "a[href], button, input, select, textarea, summary, [role=tab], [role=option]";
  while (roots.length) {
    for (const element of roots.pop().querySelectorAll("*")) {
      if (element.shadowRoot) roots.push(element.shadowRoot);
      if (!element.matches(controls)) continue;
      if (element.matches("p a, [data-testid=stSkipToContent], [type=hidden]")) continue;
      if (element.closest("[aria-hidden=true], [data-testid=hidden-dateinput-container]")) continue;
      if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
      const isLabelled = element.matches("[type=checkbox], [type=radio]");
      const target = element.closest(isLabelled ? "label" : "tbody tr") || element;
      const {width, height, right} = target.getBoundingClientRect();
      if (right <= 0 || !width || !height) continue;
      if (Math.min(width, height) < least) {
        found.push(`${width} x ${height}: ${element.outerHTML.slice(0, 200)}`);
      }
    }
  }
  return found;
}"""
#: What comes before the title of the page, besides the bar with the mode.
BEFORE_TITLE = """() => {
  const title = document.querySelector("h1");
  const elements = "[data-testid=stMainBlockContainer] [data-testid=stElementContainer]";
  return [...document.querySelectorAll(elements)].filter((element) => title
    && element.compareDocumentPosition(title) === Node.DOCUMENT_POSITION_FOLLOWING
    && !element.querySelector(".mode-bar, .connection-lost")
    && element.checkVisibility()).map((element) => element.innerText.trim()).filter(Boolean);
}"""


def check(page: Page, name: str, text: str | None = None, *, height: int = 844) -> None:
    """The page as it is, in both themes and both sizes; it fits, its title comes first, and a
    picture of it is kept.

    `text`: what it has when it is drawn. With it a page with charts, which have colours of their
    own, is loaded in the dark theme too. `height`: that of the picture.
    """
    charts = page.locator("[class*='st-key-chart_'], .figures img")
    for scheme in ("light", "dark"):
        # Without the animations of our components, in which text fades in.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if text is not None and scheme == "dark" and charts.count():
            page.reload()
        if text is not None:
            drawn(page, text)
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE)
        for size in (DESK, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            # Streamlit's colours change slowly.
            page.evaluate(TRANSITIONS)
            where = f"{name}, {scheme}, {size['width']} px"
            # All else is the same in both themes.
            rules = RULES if scheme == "light" else ["color-contrast"]
            assert page.evaluate(RUN_AXE, rules) == [], where
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], where
            assert page.evaluate(BEFORE_TITLE) == [], where
            if size is PHONE and scheme == "light":
                # The menu becomes that of a phone some time after the window.
                settle_targets(page)
                assert page.evaluate(SMALL_TARGETS, FINGER - 0.5) == [], where
            for chart in page.locator("[class*='st-key-chart_']").all():
                expect(chart.locator(":is(svg, canvas)").first).to_be_visible()
            Pictures.keep(page, f"{name}-{size['width']}-{scheme}", height=height)
        page.set_viewport_size(DESK)  # type: ignore[arg-type]


def settle_targets(page: Page) -> None:
    """Wait until no control is too small, as long as one of them may still change."""
    with suppress(TimeoutError):
        page.wait_for_function(
            f"least => !({SMALL_TARGETS})(least).length", arg=FINGER - 0.5, timeout=5_000
        )


def drawn(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()
    # What is drawn by a part of Streamlit that is loaded late is a grey block before.
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    settled(page)


def test_delivery(page: Page, loaded: App) -> None:
    page.goto(f"{loaded.address}/delivery?{WEEK}&{ALL_OPEN}")
    drawn(page, LAST)
    check(page, "delivery", LAST, height=6000)
    # Each chart has a text that axe cannot miss: an empty one would be a violation only for images.
    charts = page.locator("[class*='st-key-chart_'] [aria-label], .figures img")
    assert charts.count() >= 12
    for label in charts.all():
        words = label.get_attribute("aria-label") or label.get_attribute("alt")
        assert re.search(r"\d", words or "")


def test_popovers(page: Page, loaded: App) -> None:
    """They are drawn outside of the page. One has a disabled control, one a quiet button."""
    page.goto(f"{loaded.address}/delivery?{WEEK}")
    drawn(page, LAST)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for opener, shown in (
            ("Filters", page.get_by_label("Carrier")),
            ("Download", page.get_by_role("button", name="Every step as CSV")),
        ):
            page.get_by_role("button", name=opener, exact=True).click()
            expect(shown).to_be_visible()
            page.evaluate(TRANSITIONS)
            if not page.evaluate("'axe' in window"):
                page.evaluate(AXE)
            assert page.evaluate(RUN_AXE, RULES) == [], (scheme, opener)
            page.keyboard.press("Escape")
            expect(shown).to_have_count(0)


def test_attempts(page: Page, loaded: App, beside: Services) -> None:
    page.goto(f"{loaded.address}/attempts")
    check(page, "attempts", ATTEMPTS_NOTE, height=2400)
    attempt = beside.ledger.recent()[0].attempt
    page.goto(f"{loaded.address}/attempts?attempt={quote(attempt)}")
    check(page, "attempt", "All events", height=1300)


def test_api_and_the_page_that_is_not_there(page: Page, loaded: App) -> None:
    page.goto(f"{loaded.address}/api")
    check(page, "api", "Webhooks", height=2000)
    page.goto(f"{loaded.address}/nothing")
    check(page, "not-found")


def test_access(page: Page, guarded: App) -> None:
    page.goto(f"{guarded.address}/delivery?sign-in=wrong")
    check(page, "sign-in", "That is not the password")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    page.goto(f"{guarded.address}/access")
    make_invite(page, "Demo", 3)
    check(page, "access")


def test_verify(page: Page, app: App) -> None:
    open_form(page, app)
    check(page, "verify", "Phone number")
    send(page, fresh_number())
    check(page, "verify-running")
    use_code(page)
    expect_verified(page)
    page.get_by_text("Behind the scenes").click()
    page.get_by_role("button", name=re.compile("POST")).first.click()
    check(page, "verify-verified", height=2400)
    page.get_by_role("button", name="Endings").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page, "verify-endings")


def test_chaos(page: Page, app: App) -> None:
    with chaos(app, {"effect": "held", "country": "DE"}, {"effect": "delay", "tail_seconds": 5}):
        page.goto(f"{app.address}/qa?qa_view=chaos")
        drawn(page, "Push a status")
        page.get_by_role("button", name="Add a rule").click()
        expect(page.get_by_role("button", name="Add this rule")).to_be_visible()
        check(page, "qa-chaos", height=1600)


def test_numbers(page: Page, app: App) -> None:
    page.goto(f"{app.address}/qa?qa_view=numbers")
    lease = page.get_by_role("button", name="Lease numbers")
    lease.click()
    number = page.get_by_text(re.compile(r"^\+1 201-\d{3}-\d{4}$"))
    expect(number).to_be_visible()
    check(page, "qa-numbers", "Fixed codes", height=1400)
    leased = number.inner_text()
    # The new size of the window leads to a run, which may replace a button while it is clicked.
    settled(page)
    page.get_by_role("button", name="Release").click()
    expect(number).to_have_count(0)
    lease.click()
    expect(number).to_be_visible()
    assert number.inner_text() != leased
    leased = number.inner_text()
    page.get_by_role("button", name="Verify", exact=True).first.click()
    digits = re.sub(r"[ -]", "", leased)
    expect(page.get_by_label("Phone number")).to_have_value(digits)


#: All of Streamlit's elements that a page may use, with each colour of the theme.
ELEMENTS = """
import streamlit as st
from pages.components.look import apply_look

st.set_page_config(layout="wide")
apply_look()
st.title("Elements", anchor=False)
for draw in (st.error, st.warning, st.info, st.success):
    draw("**Cause.** Remedy with `code` and a [link](/x).", icon=":material/key:")
for colour in ("red", "orange", "green", "blue", "violet", "gray", "yellow", "primary"):
    st.badge(colour, color=colour)
    st.markdown(f":{colour}[text] :{colour}-background[ground]")
st.caption("A caption with :gray[gray], `code` and a [link](/x)")
st.code("TOKEN=a; curl -X POST 'http://x' | jq . # c\\nfor i in $(seq 3); do export A=b; done",
        language="bash", wrap_lines=True)
st.code("@d\\nclass A(B):\\n    # note\\n    return f(a='+1', b=None, c=True, d=1)",
        language="python", wrap_lines=True)
st.code('{"a": 1, "b": null, "c": true, "d": "x"}', language="json", wrap_lines=True)
st.code('<?xml version="1.0"?><Response><Speak loop="2">Hi &amp; bye</Speak></Response>',
        language="xml", wrap_lines=True)
for colour in ("green", "red", "gray"):
    st.metric("Metric", "1", "2", delta_color=colour, delta_description="n = 2", help="help")
for kind in ("primary", "secondary", "tertiary"):
    st.button(kind, type=kind)
st.selectbox("Off", ["a"], disabled=True)
st.selectbox("Select", ["a", "b"])
st.text_input("Text", placeholder="placeholder")
st.number_input("Number", 1, 10, help="help")
st.multiselect("Several", ["a", "b"], default=["a"])
st.datetime_input("Date")
st.radio("Radio", ["a", "b"], captions=["c", "d"])
st.checkbox("Box")
st.toggle("Switch")
st.segmented_control("Segments", ["a", "b"], default="a")
st.pills("Pills", ["a", "b"], default="a")
st.tabs(["first", "second"])
with st.expander("Expander", expanded=True):
    st.caption("inside")
with st.popover("Popover"):
    st.caption("inside")
st.table({"a": [1], "b": [2]}, border="horizontal")
st.progress(0.4, "Progress")
st.text_area("Area")
st.caption("The end")
"""


def test_every_element_of_streamlit_in_our_theme(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("elements")
    script = folder / "elements.py"
    script.write_text(ELEMENTS)
    app = App(folder, script)
    app.start()
    try:
        page.goto(app.address)
        drawn(page, "The end")
        check(page, "elements", height=4000)
    finally:
        app.stop()
