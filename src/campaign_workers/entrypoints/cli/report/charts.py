"""The charts of the report, drawn to SVG without a network.

Colours are the page's, so that a chart is light or dark as the page is.
"""

from collections.abc import Iterable
from html import escape
from typing import Any

import altair as alt
import polars as pl
import vl_convert as vlc

INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
ACCENT, SOFT = "var(--accent)", "var(--soft)"
CHOICES = ("var(--first)", "var(--second)", "var(--third)", "var(--fourth)")
WIDTH = 720


def bars(table: pl.DataFrame, names: str, numbers: str, label: str) -> str:
    """One bar a row, in this order, with its number at its end."""
    drawn = (
        alt.Chart(table)
        .mark_bar(color=ACCENT, cornerRadiusEnd=3)
        .encode(
            x=alt.X(f"{numbers}:Q", axis=None),
            y=alt.Y(f"{names}:N", sort=table[names].to_list(), title=None),
        )
    )
    labels = drawn.mark_text(align="left", dx=6, color=INK).encode(
        text=alt.Text(f"{numbers}:Q", format=",d")
    )
    return _svg((drawn + labels).properties(width=WIDTH, height=alt.Step(30)), label)


def histogram(scores: pl.DataFrame, edges: Iterable[float], label: str) -> str:
    """Scores before and after banding: `scores` has series, bin, end and fans."""
    lines = (
        alt.Chart(pl.DataFrame({"edge": list(edges)}))
        .mark_rule(color=MUTED, strokeDash=[3, 3])
        .encode(x="edge:Q")
    )
    rows = [
        (
            alt.Chart(scores.filter(pl.col("series") == series))
            .mark_bar(color=colour, stroke="var(--card)", binSpacing=0)
            .encode(
                x=alt.X(
                    "bin:Q",
                    bin="binned",
                    title=series,
                    scale=alt.Scale(domain=[0, 1], nice=False),
                    axis=alt.Axis(grid=False, format=".2f", tickCount=10),
                ),
                x2="end:Q",
                y=alt.Y("fans:Q", title="fans", axis=alt.Axis(format=",d", tickCount=4)),
            )
            + lines
        ).properties(width=WIDTH, height=130)
        for series, colour in (("score", SOFT), ("band score", ACCENT))
    ]
    return _svg(alt.vconcat(*rows).resolve_scale(y="shared"), label)


def demand(markets: pl.DataFrame, label: str) -> str:
    """Wishes and quota by market: `markets` has market, choice, fans and limit, in order."""
    order = markets["market"].unique(maintain_order=True).to_list()
    choices = markets["choice"].unique(maintain_order=True).to_list()
    wishes = (
        alt.Chart(markets.with_row_index("place"))
        .mark_bar()
        .encode(
            x=alt.X("fans:Q", stack=True, title="fans", axis=alt.Axis(format=",d", tickCount=8)),
            y=alt.Y("market:N", sort=order, title=None),
            color=alt.Color(
                "choice:N",
                title=None,
                sort=choices,
                scale=alt.Scale(domain=choices, range=CHOICES[: len(choices)]),
                legend=alt.Legend(orient="top"),
            ),
            order="place:Q",
        )
    )
    quota = (
        alt.Chart(markets.unique("market", maintain_order=True))
        .mark_tick(color=INK, thickness=3, size=24)
        .encode(x="limit:Q", y=alt.Y("market:N", sort=order))
    )
    return _svg((wishes + quota).properties(width=WIDTH, height=alt.Step(32)), label)


def _svg(chart: Any, label: str) -> str:
    styled = (
        chart.configure(
            background="transparent",
            # The browser's letters may be wider than those that the picture was measured with.
            padding={"left": 40, "right": 16, "top": 6, "bottom": 6},
            font="system-ui, -apple-system, 'Segoe UI', sans-serif",
        )
        .configure_axis(
            labelColor=MUTED,
            titleColor=MUTED,
            titleFontWeight="normal",
            gridColor=LINE,
            tickColor=LINE,
            domain=False,
            labelLimit=240,
            labelFontSize=12,
            titleFontSize=12,
        )
        .configure_text(fontSize=12)
        .configure_legend(labelColor=INK, labelFontSize=12)
        .configure_view(stroke=None)
    )
    svg = str(vlc.vegalite_to_svg(styled.to_dict()))
    # One picture with one text: a screen reader would otherwise read out every mark.
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
