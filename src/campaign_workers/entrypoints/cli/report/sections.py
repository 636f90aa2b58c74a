"""The sections of the report, in order: one table."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Final

from campaign_workers.domain import bands
from campaign_workers.entrypoints.cli.report import charts
from campaign_workers.entrypoints.cli.report.figures import Figures
from campaign_workers.entrypoints.cli.report.page import Section, table

NOT_YET: Final = "<p>Not yet.</p>"
VERIFY: Final = (
    "campaign-workers verify-audit selection/audit.json --candidates selection/candidates.csv \\\n"
    "    --quotas selection/quotas.csv --picks selection/picks.csv --seed SEED"
)


def sections(figures: Figures) -> tuple[Section, ...]:
    """Every section, drawn."""
    return tuple(
        Section(title=title, note=note, body=draw(figures)) for title, note, draw in _SECTIONS
    )


def _funnel(figures: Figures) -> str:
    stages = figures.funnel()
    return charts.bars(stages, "stage", "fans", _read_out(stages.iter_rows()))


def _scores(figures: Figures) -> str:
    scores = figures.scores()
    if scores.is_empty():
        return NOT_YET
    edges = [band.lower for band in bands.HIGHEST_FIRST]
    return charts.histogram(scores, edges, "Two histograms: scores, and scores after banding.")


def _demand(figures: Figures) -> str:
    rows = figures.places()
    if not rows:
        return NOT_YET
    columns = ("market", "wishes", "places", "taken", "filled", "priority of the last", "wanted as")
    label = f"Wishes by market: {_read_out((row[0], row[1]) for row in rows)}"
    return charts.demand(figures.demand(), label) + table(columns, rows)


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
    return NOT_YET if tags.is_empty() else charts.bars(tags, "tag", "rows", _read_out(tags.rows()))


def _waves(figures: Figures) -> str:
    columns = ("wave", "registrants", "texts", "e-mails", "failed", "over limit", "duplicates")
    return table(columns, figures.waves()) if figures.books.waves() else NOT_YET


def _workers(figures: Figures) -> str:
    return table(("worker", "runs", "counts"), figures.workers())


def _books(figures: Figures) -> str:
    rows = [(check.title, check.told, check.found, check.holds) for check in figures.books.checks()]
    return table(("", "told", "found", "equal"), rows)


def _read_out(pairs: Iterable[tuple[object, ...]]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in pairs)


_FINGERPRINTED: Final = ("candidates", "quotas", "picks")

_SECTIONS: Final[tuple[tuple[str, str, Callable[[Figures], str]], ...]] = (
    ("From registered to notified", "Fans who are left at each step.", _funnel),
    (
        "Why rows were tagged",
        "Rows of the scored files. A row can have several tags, and those marked (stays) put"
        " nobody out.",
        _tags,
    ),
    (
        "Scores of eligible fans",
        "The dashed lines are the edges of the bands. The score decides the band, the lottery the"
        " place inside it.",
        _scores,
    ),
    (
        "Demand and places",
        "Wishes of all who registered, by choice; the dark line is the number of places. Where all"
        " are taken, the last one in had this priority.",
        _demand,
    ),
    (
        "Check the draw",
        "The commitment is published before registration opens, the seed after the draw. Then"
        " anybody can draw again:",
        _check,
    ),
    ("Waves", "What became of each registrant.", _waves),
    ("Workers", "Runs, and the sums of their counts.", _workers),
    ("The books", "What workers told, beside what lies in buckets, streams and queues.", _books),
)
"""Title, note, and what draws the section."""
