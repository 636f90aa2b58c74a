"""The report of a campaign: one HTML file that needs nothing else."""

from pathlib import Path

from campaign_workers import __version__
from campaign_workers.container import Container
from campaign_workers.domain.errors import Fatal
from campaign_workers.entrypoints.cli.books import Books, Check
from campaign_workers.entrypoints.cli.outputs import write_whole
from campaign_workers.entrypoints.cli.report.page import Section, page, table

FILE = "report.html"


def write_report(container: Container, campaign_id: str, out: Path) -> Path:
    """Write the campaign's report under `out` and return where it is.

    Raises:
        Fatal: the libraries that draw the charts are not installed.
    """
    html = _html(container, campaign_id)
    path = out / FILE
    write_whole(path, lambda part: part.write_text(html, encoding="utf-8"))
    return path


def _html(container: Container, campaign_id: str) -> str:
    try:
        from campaign_workers.entrypoints.cli.report import charts
    except ImportError:
        raise Fatal("charts need more: install campaign-workers[report]") from None
    from campaign_workers.entrypoints.cli.report.figures import Figures

    books = Books(container, campaign_id)
    figures = Figures(container, campaign_id, books)
    campaign = container.campaigns.campaign(campaign_id)
    funnel = figures.funnel()
    sections = [
        Section(
            title="From registered to notified",
            note="Fans who are left at each step.",
            body=charts.funnel(funnel),
        ),
        Section(
            title="Scores of eligible fans",
            note="Before and after banding: within a band the lottery decides.",
            body=charts.histogram(figures.scores()),
        ),
        Section(
            title="Demand and quota",
            note="Wishes of all who registered; the line is the number of places.",
            body=charts.demand(figures.demand()) + _cutoffs(figures.cutoffs()),
        ),
        Section(
            title="Why rows were tagged",
            note="A row can have several tags; not every tag disqualifies.",
            body=charts.counts(figures.tags(), "tag"),
        ),
        Section(
            title="Waves",
            note="What became of each registrant.",
            body=table(
                ("wave", "registrants", "texts", "e-mails", "failed", "over limit", "duplicates"),
                figures.waves(),
            ),
        ),
        Section(
            title="Workers",
            note="Runs, and the sums of their counts.",
            body=table(("worker", "runs", "counts"), figures.workers()),
        ),
        Section(
            title="The books",
            note="What workers told beside what lies in buckets, streams and queues.",
            body=_books(books.checks()),
        ),
    ]
    return page(
        title=campaign.name or campaign_id,
        lead=f"{campaign.artist or 'No artist'} · {campaign_id} · {container.clock.now():%Y-%m-%d}",
        tiles=tuple(funnel.iter_rows()),
        sections=sections,
        footer=f"campaign-workers {__version__}",
    )


def _cutoffs(cutoffs: list[dict[str, object]]) -> str:
    names = ("market_id", "limit", "taken", "filled", "cutoff", "cutoff_preference_rank")
    columns = ("market", "limit", "taken", "filled", "priority of the last one in", "preference")
    return table(columns, [tuple(_short(row[name]) for name in names) for row in cutoffs])


def _short(value: object) -> object:
    return f"{value:.6f}" if isinstance(value, float) else value


def _books(checks: tuple[Check, ...]) -> str:
    rows = [(check.title, check.told, check.found, check.holds) for check in checks]
    return table(("", "told", "found", "equal"), rows)
