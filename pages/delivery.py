"""Delivery: are codes arriving, how fast, where not, why, at what cost, and who misuses us."""

import io
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import pandas as pd
import streamlit as st

from core import charts, panels
from core.delivery.alert_states import AlertState
from core.delivery.queries import Filters
from core.delivery.ranges import Comparison, Preset, Range, compared, preset
from core.delivery.rates import Rate, percentiles
from core.errors import ProductError
from core.provider.error_codes import hangup_cause, message_error
from pages.components.access import require_admin
from pages.components.shared import outage_shown, services

PRESETS = {
    Preset.QUARTER: "15 min", Preset.HOUR: "1 h", Preset.SIX_HOURS: "6 h", Preset.DAY: "24 h",
    Preset.TODAY: "Today", Preset.YESTERDAY: "Yesterday", Preset.WEEK: "7 days",
    Preset.MONTH: "30 days", Preset.SEASON: "90 days",
}  # fmt: skip
CUSTOM = "custom"
COMPARISONS = {
    Comparison.PREVIOUS: "the period before",
    Comparison.WEEKDAY: "the same weekday",
    Comparison.YEAR: "last year",
    Comparison.NONE: "nothing",
}
AGAINST = {
    Comparison.PREVIOUS: "vs before",
    Comparison.WEEKDAY: "vs last week",
    Comparison.YEAR: "vs last year",
}
REFRESH = {"off": None, "15 s": 15, "30 s": 30, "60 s": 60}
EVERY = "all"
LOUD = {AlertState.FIRING, AlertState.RECOVERING}
SAMPLE = {"days": 30, "per_day": 2000, "seed": 7}

require_admin("/delivery")
app = services()
queries = app.queries
colours = charts.DARK if st.context.theme.type == "dark" else charts.LIGHT


def main() -> None:
    """The header, and below it the panels, which refresh by themselves."""
    title, refresh = st.columns([4, 1], vertical_alignment="bottom")
    title.title("Delivery", anchor=False)
    every = refresh.selectbox(
        "Refresh", list(REFRESH), key="refresh", bind="query-params", persist_state="session"
    )
    with outage_shown():
        if app.settings.is_sandbox and queries.is_simulated():
            st.info("**Simulated traffic** is among these figures.", icon=":material/science:")
        zone = _zone()
        _choose(zone)
        st.fragment(_panels, run_every=REFRESH[every])(zone)
        st.fragment(_logs, run_every=2 if app.logs.status().is_running else None)(zone)


def _zone() -> ZoneInfo:
    viewer = st.context.timezone or "UTC"
    names = list(dict.fromkeys([viewer, "UTC", *sorted(available_timezones())]))
    chosen = st.session_state.get("zone", viewer)
    return ZoneInfo(chosen if chosen in names else "UTC")


def _choose(zone: ZoneInfo) -> None:
    """The range, what it is compared with, the zone, and the filters; all of it in the URL."""
    st.segmented_control(
        "Range", [*PRESETS, CUSTOM], default=Preset.DAY, key="range", bind="query-params",
        format_func=lambda one: PRESETS.get(one, "Custom"), required=True,
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    if st.session_state.get("range") == CUSTOM:
        today = datetime.now(zone).date()
        first, last = st.columns(2)
        first.date_input("From", today - timedelta(days=6), key="from", bind="query-params")
        last.date_input("To, that day included", today, key="to", bind="query-params")
    known = queries.known()
    grid = st.grid(5, min_column_width=150, gap="small")
    _select(grid.cell(), "Channel", "channel", {EVERY: "All", **panels.CHANNELS})
    _select(grid.cell(), "Country", "country", {EVERY: "All", **{c: c for c in known.countries}})
    carriers = known.carriers.get(st.session_state.get("country", EVERY), ())
    _select(grid.cell(), "Carrier", "carrier", {EVERY: "All"} | {c: c or "?" for c in carriers})
    _select(
        grid.cell(),
        "Compared with",
        "compare",
        {str(one): words for one, words in COMPARISONS.items()},
    )
    viewer = st.context.timezone or "UTC"
    zones = dict.fromkeys([viewer, "UTC", *sorted(available_timezones())])
    _select(grid.cell(), "Zone", "zone", {name: name for name in zones})


def _select(place: object, label: str, key: str, options: dict[str, str]) -> None:
    with place:  # type: ignore[attr-defined]
        st.selectbox(
            label, list(options), key=key, bind="query-params", persist_state="session",
            format_func=lambda one: options.get(one, str(one)),
        )  # fmt: skip


def _range(zone: ZoneInfo) -> Range:
    now = app.clock.now()
    name = st.session_state.get("range") or Preset.DAY
    if name != CUSTOM:
        return preset(Preset(name), now, zone)
    first, last = st.session_state["from"], st.session_state["to"]
    start = datetime.combine(min(first, last), time(), zone).astimezone(UTC)
    end = datetime.combine(max(first, last) + timedelta(days=1), time(), zone).astimezone(UTC)
    return Range(start, min(end, max(now, start + timedelta(minutes=1))))


def _filters() -> Filters:
    def chosen(key: str) -> str | None:
        value = st.session_state.get(key, EVERY)
        return None if value == EVERY else value

    country = chosen("country")
    return Filters(chosen("channel"), country, chosen("carrier") if country else None)


def _panels(zone: ZoneInfo) -> None:
    with outage_shown():
        app.booker.book()
        chosen, filters = _range(zone), _filters()
        by = Comparison(st.session_state.get("compare", Comparison.PREVIOUS))
        before = compared(chosen, by)
        fresh = queries.freshness()
        totals = queries.totals(chosen, filters)
        st.caption(f"{panels.through(fresh.through, fresh.lag, zone)} · times in {zone.key}")
        everything = totals if filters.is_empty else queries.totals(chosen)
        empty = panels.empty_state(
            int(totals["requested"]), filters, ever=fresh.through is not None,
            unfiltered=int(everything["requested"]), lag=fresh.lag,
        )  # fmt: skip
        if empty:
            _empty(*empty)
            if not int(totals["requested"]):
                return
        _now(chosen, before, filters, AGAINST.get(by, ""), zone)
        _lost(chosen, filters, zone)
        _time(chosen, filters, zone)
        _who(chosen, filters)
        _why(chosen, before, filters)
        _cost(chosen, filters)
        _first(chosen, filters)
        _keep(chosen, filters, zone)


def _empty(kind: panels.Empty, words: str) -> None:
    st.info(words, icon=":material/inbox:")
    if kind is panels.Empty.FILTERED:
        st.button("Clear filters", on_click=_clear, icon=":material/filter_alt_off:")
    if kind in {panels.Empty.NOT_CONFIGURED, panels.Empty.NO_TRAFFIC} and app.settings.is_sandbox:
        st.caption(
            "Or fill the sandbox with 30 days of invented traffic, marked as simulated. "
            "It takes about a minute."
        )
        if st.button("Load sample traffic", icon=":material/science:", type="primary"):
            _load_sample()


def _load_sample() -> None:
    bar = st.progress(0.0, "Starting")

    def shown(done: float, said: str) -> None:
        bar.progress(done, said)

    try:
        app.sample.load(**SAMPLE, progress=shown)
    except ProductError as error:
        st.error(f"**{error.cause}** {error.remedy}")
        return
    queries.forget()
    st.rerun()


def _clear() -> None:
    for key in ("channel", "country", "carrier"):
        st.session_state[key] = EVERY


def _now(
    chosen: Range, before: Range | None, filters: Filters, against: str, zone: ZoneInfo
) -> None:
    _question("Are codes arriving?")
    totals = queries.totals(chosen, filters)
    then = queries.totals(before, filters) if before else None
    p95 = percentiles(queries.histogram(chosen, filters))[0.95]
    p95_then = percentiles(queries.histogram(before, filters))[0.95] if before else None
    figures = panels.figures(totals, then, (p95, p95_then), against)
    steps = queries.over_time(chosen, filters, zone)
    rates = (100 * steps["confirmed"] / steps["requested"]).dropna()
    grid = st.grid(3, min_column_width=240, gap="small")
    for n, figure in enumerate(figures):
        with grid.cell():
            st.metric(
                figure.name, figure.value, figure.change or figure.detail, help=figure.help,
                delta_color=_delta_colour(figure), border=True,
                delta_arrow="auto" if figure.change else "off",
                delta_description=figure.detail if figure.change else None,
                chart_data=rates.tolist() if n == 0 and len(rates) > 2 else None,
            )  # fmt: skip
    _chart(charts.states_over_time(steps, zone, colours), "states")
    _chart(charts.rate_over_time(steps, zone, colours), "rate", height=200)
    _download(steps.reset_index(), "states_over_time")
    _alerts(chosen, filters, zone)


def _delta_colour(figure: panels.Figure) -> Literal["off", "normal", "inverse"]:
    # Streamlit colours by the sign; we colour by what is good, and not at all within chance.
    if figure.good is None:
        return "off"
    return "normal" if figure.change.startswith("+") == figure.good else "inverse"


def _alerts(chosen: Range, filters: Filters, zone: ZoneInfo) -> None:
    loud = [one for one in app.alerts.current() if one.state in LOUD and not one.under]
    for one in loud:
        st.warning(
            f"**{one.series}** is {one.state}: {panels.alert_words(one)}",
            icon=":material/notifications_active:",
        )
    with st.expander(f"Alerts: {len(loud)} firing", icon=":material/notifications:"):
        st.caption(
            "Every 15 minutes the last hour of each channel and country is compared with the same "
            "hour of the four weeks before, by a fixed rule from 100 attempts on and by an exact "
            "binomial test for any number."
        )
        if st.button("Try the rules on this range", key="dry_run"):
            tried = app.alerts.dry_run(chosen, filters)
            times = "once" if tried.fired == 1 else f"{tried.fired} times"
            st.markdown(f"In this range they would have fired **{times}**.")
            for fired in [fired for fired in tried.moments if not fired.under][:10]:
                at = fired.at.astimezone(zone)
                st.caption(f"{at:%d %b %H:%M}: {fired.series}, {fired.measure}")


def _lost(chosen: Range, filters: Filters, zone: ZoneInfo) -> None:
    _question("Where do they get lost?")
    frame = queries.by_channel(chosen, filters)
    _chart(charts.funnel(frame, panels.CHANNELS, colours), "funnel", height=320)
    tried = panels.fallback(queries.totals(chosen, filters))
    rescued = (
        f"{tried.rescued.k} of {tried.rescued.n} calls in place of a message were verified "
        f"({100 * tried.rescued.low:.0f}\N{EN DASH}{100 * tried.rescued.high:.0f} %)."
        if tried.rescued.is_enough
        else "Too few of them were calls in place of a message to say what that brings."
    )
    st.caption(
        f"Of {tried.started:,} verifications, {tried.resends:,} codes were sent again the same "
        f"way and {tried.fallbacks:,} another way. {rescued}"
    )
    _download(frame.reset_index(), "funnel")


def _time(chosen: Range, filters: Filters, zone: ZoneInfo) -> None:
    _question("How long does it take?")
    frame = queries.heatmap(chosen, filters, zone=zone)
    _chart(charts.latency(frame, zone, colours), "latency", height=340)
    _chart(charts.waterfall(queries.totals(chosen, filters), colours), "waterfall", height=120)
    st.caption(
        "From request to delivery report; darker is more. Below, the mean of each part: app to "
        "Plivo, Plivo's queue, the carrier, and the person with the code."
    )
    _download(frame.reset_index(), "time_to_deliver")


def _who(chosen: Range, filters: Filters) -> None:
    _question("Who is affected?")
    table = panels.country_table(queries.by_country(chosen, filters))
    picked = st.dataframe(
        table, key="countries", hide_index=True, on_select="rerun", selection_mode="single-row",
        column_config={
            "country": "Country", "carrier": "Carrier",
            "n": _number("n", "localized"),
            "confirmed": _percent("Confirmed"),
            "low": _percent("at least"),
            "high": _percent("at most"),
            "receipts": "Receipts",
            "p95_s": _number("p95", "%.1f s"),
            "conversion": _percent("Conversion"),
            "cost": _number("Cost per verified", "$%.4f"),
            "spark": st.column_config.LineChartColumn("Confirmed, over time", y_min=0, y_max=100),
        },
    )  # fmt: skip
    st.caption("The worst come first, by what is at least true. Choose a row to filter the page.")
    rows = picked.selection.rows
    if rows:
        row = table.iloc[rows[0]]
        carrier = "" if row["carrier"] == "?" else row["carrier"]
        wanted = (row["country"], EVERY if row["carrier"] == "" else carrier)
        if wanted != (st.session_state.get("country"), st.session_state.get("carrier")):
            st.button(
                f"Filter by {row['country']} {row['carrier']}".strip(),
                icon=":material/filter_alt:", on_click=_filter, args=wanted, type="primary",
            )  # fmt: skip
    _download(table, "countries")


def _filter(country: str, carrier: str) -> None:
    st.session_state["country"], st.session_state["carrier"] = country, carrier


def _why(chosen: Range, before: Range | None, filters: Filters) -> None:
    _question("Why?")
    frame = queries.errors(chosen, filters, before).reset_index()
    if frame.empty:
        st.caption("No errors in this range.")
        return
    told = [
        _meaning(channel, code)
        for channel, code in zip(frame["channel"], frame["code"], strict=True)
    ]
    frame["label"] = [
        f"{panels.CHANNELS.get(c, c)} {code}" for c, code in frame[["channel", "code"]].to_numpy()
    ]
    frame["meaning"], frame["advice"] = zip(*told, strict=True)
    _chart(charts.errors(frame, colours), "errors", height=260)
    shown = frame[["label", "count", "previous", "meaning", "advice"]]
    st.dataframe(
        shown, hide_index=True, key="error_table",
        column_config={
            "label": "Error", "count": "Attempts", "previous": "Before", "meaning": "What it means",
            "advice": "What to do",
        },
    )  # fmt: skip
    _download(shown, "errors")


def _meaning(channel: str, code: str) -> tuple[str, str]:
    if code == "refused":
        return "Plivo refused the request.", "Open one of these attempts for its cause."
    found = hangup_cause(code) if channel == "voice" or len(code) == 4 else message_error(code)
    return (found.meaning, found.advice) if found else ("No cause was stated.", "Ask Plivo.")


def _cost(chosen: Range, filters: Filters) -> None:
    _question("What does it cost?")
    table = panels.cost_table(queries.by_channel(chosen, filters))
    st.dataframe(
        table, hide_index=True, key="cost",
        column_config={
            "channel": "Channel",
            "spent": _number("Spent", "dollar"),
            "wasted": _number("On codes never entered", "dollar"),
            "per_verified": _number("Per verified attempt", "$%.4f"),
            "priced": _number("Priced", "%.0f %%"),
        },
    )  # fmt: skip
    st.caption("Prices of the last 24 hours are provisional.")
    _download(table, "cost")


def _first(chosen: Range, filters: Filters) -> None:
    _question("What should I do first?")
    totals = queries.totals(chosen, filters)
    baseline = Rate(int(totals["converted"]), int(totals["started"]))
    table = panels.issues(queries.by_country(chosen, filters), baseline)
    if table.empty:
        st.caption("No country or carrier loses more verifications than chance explains.")
        return
    st.dataframe(
        table, hide_index=True, key="issues",
        column_config={
            "country": "Country", "carrier": "Carrier", "n": "Started",
            "conversion": _percent("Conversion"),
            "lost": st.column_config.NumberColumn("Lost verifications"),
        },
    )  # fmt: skip
    usual = f"{100 * baseline.value:.1f} %"
    st.caption(f"Lost: how many more would have succeeded at {usual}, the rate of all.")
    _download(table, "issues")


def _keep(chosen: Range, filters: Filters, zone: ZoneInfo) -> None:
    written = io.BytesIO()
    queries.over_time(chosen, filters, zone).to_parquet(written)
    st.download_button(
        "Download the range as Parquet", written.getvalue(), "delivery.parquet",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _number(label: str, form: str) -> Any:
    return st.column_config.NumberColumn(label, format=form)


def _percent(label: str) -> Any:
    return _number(label, "%.1f %%")


def _logs(zone: ZoneInfo) -> None:
    """Plivo's logs: when they were read, and a button to read them now."""
    with outage_shown():
        _question("What do Plivo's logs say?")
        status = app.logs.status()
        read = (
            "never" if status.through is None else f"{status.through.astimezone(zone):%d %b %H:%M}"
        )
        if status.is_running:
            now = status.progress
            left = f", about {panels.span(now.left)} left" if now.left else ""
            done = now.windows_done / now.windows if now.windows else 0.0
            st.progress(done, f"{now.rows:,} rows read{left}")
            if st.button("Stop reading", icon=":material/stop:"):
                app.logs.request_stop()
            return
        foreign = app.ledger.counters().get("foreign", 0)
        st.caption(
            f"Read through: {read}. They settle what no callback told, and add prices. Today they "
            f"held {foreign:,} messages and calls that this application did not send."
        )
        if status.cause:
            st.warning(status.cause)
        if st.button("Read the last 24 hours now", icon=":material/sync:"):
            app.logs.start_in_background(app.clock.now() - timedelta(hours=24))
            st.toast("Reading Plivo's logs.")


def _question(words: str) -> None:
    st.subheader(words, anchor=False)


def _chart(chart: charts.Chart, key: str, height: int = 280) -> None:
    st.echarts_chart(chart.option, height=height, key=f"chart_{key}", alt=chart.alt)


def _download(frame: pd.DataFrame, name: str) -> None:
    st.download_button(
        "CSV", frame.to_csv(index=False).encode(), f"{name}.csv", "text/csv", key=f"csv_{name}",
        icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip


main()
