"""Builds the bar charts of the funnel and of errors."""

from typing import Any

import pandas as pd

from core.charts.axes import SMALL, Chart, Option, titled, tooltip
from core.charts.palette import Palette
from core.figures.rates import Rate
from core.panels.percent import share_words
from core.panels.tables import FUNNEL, top_errors

MOST_ERRORS = 8


def funnel(table: pd.DataFrame, colours: Palette) -> Chart:
    """The share of attempts that reached each stage, by channel, from `panels.tables.funnel_table`.
    Stages before delivery are grey; delivered and verified have their own colours."""
    shades = dict(
        zip(FUNNEL, (colours.grey, colours.grey, colours.green, colours.blue), strict=True)
    )
    series = [
        {"name": name, "type": "bar", "data": _labelled(name, table),
         "itemStyle": {"color": shades[name], "opacity": 0.6 if name == "requested" else 1},
         "barCategoryGap": "24%",
         "label": {"show": True, "position": "right", "color": colours.text, "opacity": 1}}
        for name in FUNNEL
    ]  # fmt: skip
    labels = [f"{row.name}\n{row.requested:,}" for row in _rows(table)]
    option: Option = {
        "title": titled("Share of the attempts requested, by channel", colours),
        "grid": SMALL | {"top": 24, "right": 112},
        "tooltip": tooltip(colours) | {"trigger": "item"},
        "xAxis": {"type": "value", "max": 100, "axisLabel": {"show": False},
                  "splitLine": {"show": False}},
        "yAxis": {"type": "category", "inverse": True, "data": labels,
                  "axisTick": {"show": False}, "axisLine": {"show": False},
                  "axisLabel": {"color": colours.text, "lineHeight": 18}},
        "series": series,
        "animation": False,
    }  # fmt: skip
    sentences = [
        f"{row.name}: {row.requested:,} requested, "
        + ", ".join(
            f"{share_words(Rate(getattr(row, name), row.requested))} {name}" for name in FUNNEL[1:]
        )
        for row in _rows(table)
    ]
    return Chart(option, "; ".join(sentences) + "." if sentences else "No attempts.")


def errors(table: pd.DataFrame, colours: Palette) -> Chart:
    """The most frequent errors, from `panels.tables.error_table`, the longest bar first."""
    top = top_errors(table, MOST_ERRORS)
    names = [f"{name} ({label})" for name, label in zip(top["name"], top["label"], strict=True)]
    option: Option = {
        "title": titled("Attempts by error", colours),
        "grid": SMALL | {"top": 24, "right": 48},
        "tooltip": tooltip(colours) | {"trigger": "item"},
        "xAxis": {"type": "value", "axisLabel": {"show": False}, "splitLine": {"show": False}},
        "yAxis": {"type": "category", "inverse": True, "data": names,
                  "axisTick": {"show": False}, "axisLine": {"show": False},
                  "axisLabel": {"color": colours.text}},
        "series": [
            {"type": "bar", "data": top["count"].tolist(), "name": "attempts", "barMaxWidth": 20,
             "itemStyle": {"color": colours.vermilion},
             "label": {"show": True, "position": "right", "color": colours.text}}
        ],
        "animation": False,
    }  # fmt: skip
    alt = "; ".join(f"{name}: {count:,}" for name, count in zip(names, top["count"], strict=True))
    return Chart(option, alt + "." if alt else "No errors.")


def _labelled(name: str, table: pd.DataFrame) -> list[Option]:
    rows = zip(table[f"{name}_share"], table[name], table["requested"], strict=True)
    return [
        {"value": round(share, 1), "label": {"formatter": f"{name} {share_words(Rate(k, n))}"}}
        for share, k, n in rows
    ]


def _rows(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples(index=False))
