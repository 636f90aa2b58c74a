"""The charts of the report, drawn to SVG without a network."""

from typing import Any

import altair as alt
import polars as pl
import vl_convert as vlc

INK, MUTED, ACCENT, SOFT = "#1b2733", "#66788a", "#0f7b6c", "#b9dcd5"
WIDTH = 820


def funnel(stages: pl.DataFrame) -> str:
    """From registered to notified: `stages` has stage and fans, in order."""
    bars = (
        alt.Chart(stages)
        .mark_bar(color=ACCENT, cornerRadiusEnd=3)
        .encode(
            x=alt.X("fans:Q", title="fans"),
            y=alt.Y("stage:N", sort=stages["stage"].to_list(), title=None),
        )
    )
    labels = bars.mark_text(align="left", dx=5, color=INK).encode(
        text=alt.Text("fans:Q", format=",d")
    )
    return _svg((bars + labels).properties(width=WIDTH, height=34 * stages.height))


def histogram(scores: pl.DataFrame) -> str:
    """Scores before and after banding: `scores` has series, bin (its lower end) and fans."""
    chart = (
        alt.Chart(scores)
        .mark_bar(width=34)
        .encode(
            x=alt.X("bin:Q", title="score", scale=alt.Scale(domain=[0, 1.05])),
            y=alt.Y("fans:Q", title="fans"),
            color=alt.Color(
                "series:N",
                title=None,
                legend=None,
                scale=alt.Scale(domain=["score", "band score"], range=[SOFT, ACCENT]),
            ),
            row=alt.Row(
                "series:N",
                title=None,
                sort=["score", "band score"],
                header=alt.Header(labelColor=INK, labelFontWeight="bold"),
            ),
        )
        .properties(width=WIDTH, height=120)
    )
    return _svg(chart)


def demand(markets: pl.DataFrame) -> str:
    """Wishes and quota by market: `markets` has market, preference, fans, limit."""
    order = (
        markets.group_by("market").agg(pl.col("fans").sum()).sort("fans", descending=True)["market"]
    )
    bars = (
        alt.Chart(markets)
        .mark_bar()
        .encode(
            x=alt.X("sum(fans):Q", title="wishes by preference, and the quota as a line"),
            y=alt.Y("market:N", sort=order.to_list(), title=None),
            color=alt.Color(
                "preference:N", title="choice", scale=alt.Scale(scheme="teals"), sort="descending"
            ),
            order=alt.Order("preference:N"),
        )
    )
    quota = (
        alt.Chart(markets)
        .mark_tick(color=INK, thickness=3, size=22)
        .encode(x="max(limit):Q", y=alt.Y("market:N", sort=order.to_list()))
    )
    return _svg((bars + quota).properties(width=WIDTH, height=30 * order.len()))


def counts(table: pl.DataFrame, label: str) -> str:
    """One bar a row: `table` has `label` and rows."""
    bars = (
        alt.Chart(table)
        .mark_bar(color=ACCENT, cornerRadiusEnd=3)
        .encode(x=alt.X("rows:Q", title="rows"), y=alt.Y(f"{label}:N", sort="-x", title=None))
    )
    labels = bars.mark_text(align="left", dx=5, color=INK).encode(
        text=alt.Text("rows:Q", format=",d")
    )
    return _svg((bars + labels).properties(width=WIDTH, height=26 * max(table.height, 1)))


def _svg(chart: Any) -> str:
    styled = (
        chart.configure(
            background="transparent",
            padding={"left": 24, "right": 12, "top": 6, "bottom": 6},
            font="system-ui, -apple-system, 'Segoe UI', sans-serif",
        )
        .configure_axis(
            labelColor=MUTED, titleColor=MUTED, gridColor="#e6ebef", domain=False, labelLimit=240
        )
        .configure_view(stroke=None)
    )
    return str(vlc.vegalite_to_svg(styled.to_dict()))
