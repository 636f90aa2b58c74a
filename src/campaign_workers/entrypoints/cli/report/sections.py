"""The sections of the report, in order: one table."""

from collections.abc import Callable
from typing import Final

from campaign_workers.entrypoints.cli.report import charts
from campaign_workers.entrypoints.cli.report.figures import Figures
from campaign_workers.entrypoints.cli.report.page import Section, table


def sections(figures: Figures) -> tuple[Section, ...]:
    """Every section, drawn."""
    return tuple(
        Section(title=title, note=note, body=draw(figures)) for title, note, draw in _SECTIONS
    )


def _funnel(figures: Figures) -> str:
    return charts.funnel(figures.funnel())


def _scores(figures: Figures) -> str:
    return charts.histogram(figures.scores())


def _demand(figures: Figures) -> str:
    names = ("market_id", "limit", "taken", "filled", "cutoff", "cutoff_preference_rank")
    columns = ("market", "limit", "taken", "filled", "priority of the last one in", "preference")
    rows = [tuple(_short(row[name]) for name in names) for row in figures.cutoffs()]
    return charts.demand(figures.demand()) + table(columns, rows)


def _tags(figures: Figures) -> str:
    return charts.counts(figures.tags(), "tag")


def _waves(figures: Figures) -> str:
    columns = ("wave", "registrants", "texts", "e-mails", "failed", "over limit", "duplicates")
    return table(columns, figures.waves())


def _workers(figures: Figures) -> str:
    return table(("worker", "runs", "counts"), figures.workers())


def _books(figures: Figures) -> str:
    rows = [(check.title, check.told, check.found, check.holds) for check in figures.books.checks()]
    return table(("", "told", "found", "equal"), rows)


def _short(value: object) -> object:
    return f"{value:.6f}" if isinstance(value, float) else value


_SECTIONS: Final[tuple[tuple[str, str, Callable[[Figures], str]], ...]] = (
    ("From registered to notified", "Fans who are left at each step.", _funnel),
    (
        "Scores of eligible fans",
        "Before and after banding: within a band the lottery decides.",
        _scores,
    ),
    (
        "Demand and quota",
        "Wishes of all who registered; the line is the number of places.",
        _demand,
    ),
    (
        "Why rows were tagged",
        "A row can have several tags; not every tag disqualifies.",
        _tags,
    ),
    ("Waves", "What became of each registrant.", _waves),
    ("Workers", "Runs, and the sums of their counts.", _workers),
    ("The books", "What workers told, beside what is there.", _books),
)
"""Title, note, and what draws the section."""
