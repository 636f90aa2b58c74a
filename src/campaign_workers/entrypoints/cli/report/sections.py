"""The sections of the report and their charts, drawn to SVG without a network.

Colours are the page's variables, so a chart is light or dark as the page is.
"""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any, Final

import altair as alt
import polars as pl
import vl_convert as vlc

from campaign_workers.domain import bands
from campaign_workers.entrypoints.cli.report.figures import Figures
from campaign_workers.entrypoints.cli.report.page import Section, table

NOT_YET: Final = "<p>Not yet.</p>"
VERIFY: Final = (
    "campaign-workers verify-audit selection/audit.json --candidates selection/candidates.csv \\\n"
    "    --quotas selection/quotas.csv --picks selection/picks.csv --seed SEED"
)


def build_sections(figures: Figures) -> tuple[Section, ...]:
    """Return every section with its charts and tables."""
    return tuple(
        Section(title=title, note=note, body=draw(figures)) for title, note, draw in _SECTIONS
    )


def _funnel(figures: Figures) -> str:
    stages = figures.funnel()
    return bar_chart(stages, "stage", "fans", _read_out(stages.iter_rows()))


def _scores(figures: Figures) -> str:
    scores = figures.scores()
    if scores.is_empty():
        return NOT_YET
    edges = [band.lower for band in bands.HIGHEST_FIRST]
    return histogram(scores, edges, "Two histograms: scores, and scores after banding.")


def _demand(figures: Figures) -> str:
    rows = figures.places()
    if not rows:
        return NOT_YET
    columns = ("market", "demand", "places", "taken", "filled", "last priority", "last choice")
    label = f"Demand by market: {_read_out((row[0], row[1]) for row in rows)}"
    return demand_chart(figures.demand(), label) + table(columns, rows)


def _check(figures: Figures) -> str:
    audit = figures.audit
    if audit is None:
        return NOT_YET
    rows = [
        ("mechanism", audit["mechanism"]),
        ("commitment to the seed", audit["seedCommitment"]),
        *((f"fingerprint of the {part}", audit[part]["sha256"]) for part in _FINGERPRINTED),
    ]
    return f'{table(("", ""), rows)}<pre tabindex="0"><code>{escape(VERIFY)}</code></pre>'


def _tags(figures: Figures) -> str:
    tags = figures.tags()
    return NOT_YET if tags.is_empty() else bar_chart(tags, "tag", "rows", _read_out(tags.rows()))


def _waves(figures: Figures) -> str:
    columns = ("wave", "registrants", "texts", "e-mails", "failed", "over limit", "duplicates")
    return table(columns, figures.waves()) if figures.reconciliation.waves() else NOT_YET


def _workers(figures: Figures) -> str:
    return table(("worker", "runs", "counts"), figures.workers())


def _reconciliation(figures: Figures) -> str:
    checks = figures.reconciliation.checks()
    rows = [(check.title, check.reported, check.actual, check.holds) for check in checks]
    return table(("", "reported", "actual", "equal"), rows)


def _read_out(pairs: Iterable[tuple[object, ...]]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in pairs)


_FINGERPRINTED: Final = ("candidates", "quotas", "picks")

_SECTIONS: Final[tuple[tuple[str, str, Callable[[Figures], str]], ...]] = (
    ("From registered to notified", "Fans who remain at each step.", _funnel),
    (
        "Why rows were tagged",
        "Rows of the scored files. A row can have several tags; informational tags do not"
        " disqualify a fan.",
        _tags,
    ),
    (
        "Scores of eligible fans",
        "Dashed lines are the edges of the bands. The score determines the band, the lottery the"
        " position within it.",
        _scores,
    ),
    (
        "Demand and places",
        "Demand of all registered fans, by choice; the dark line is the number of places. In a"
        " filled market, the last fan selected had the priority in the table.",
        _demand,
    ),
    (
        "Check the draw",
        "The commitment is published before registration opens, the seed after the draw. Then"
        " everyone can repeat the draw:",
        _check,
    ),
    ("Waves", "The outcome of each registrant.", _waves),
    ("Workers", "Runs and summed counts.", _workers),
    (
        "Reconciliation",
        "Figures that workers reported, and what buckets, streams and queues contain.",
        _reconciliation,
    ),
)
"""Title, note, and what draws the section."""


INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
ACCENT, SOFT = "var(--accent)", "var(--soft)"
CHOICES = ("var(--first)", "var(--second)", "var(--third)", "var(--fourth)")
WIDTH = 720


def bar_chart(table: pl.DataFrame, names: str, numbers: str, label: str) -> str:
    """Return a bar chart with a bar per row, in this order, labelled with its number."""
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
    """Return histograms of scores before and after banding from series, bin, end and fans."""
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


def demand_chart(markets: pl.DataFrame, label: str) -> str:
    """Return demand and quota by market from market, choice, fans and limit, in order."""
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
            # The browser's font may be wider than the one that vl-convert measures with.
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
    # One image with one label; a screen reader would otherwise read every mark aloud.
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
