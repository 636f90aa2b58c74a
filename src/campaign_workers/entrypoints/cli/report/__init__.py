"""The report of a campaign: one HTML file that needs nothing else."""

from pathlib import Path

from campaign_workers import __version__
from campaign_workers.adapters.local.atomic_files import atomic_write
from campaign_workers.container import Container
from campaign_workers.domain.errors import Fatal
from campaign_workers.entrypoints.cli.books import Books
from campaign_workers.entrypoints.cli.report.figures import Figures
from campaign_workers.entrypoints.cli.report.page import page

FILE = "report.html"


class MissingCharts(Fatal):
    """The libraries that draw the charts are not installed."""


def write_report(container: Container, campaign_id: str, out: Path) -> Path:
    """Write the campaign's report under `out` and return where it is.

    Raises:
        MissingCharts: the libraries that draw the charts are not installed.
    """
    html = _html(container, campaign_id)
    path = out / FILE
    with atomic_write(path) as part:
        part.write_text(html, encoding="utf-8")
    return path


def _html(container: Container, campaign_id: str) -> str:
    try:
        from campaign_workers.entrypoints.cli.report.sections import sections
    except ImportError:
        raise MissingCharts("charts need more: install campaign-workers[report]") from None
    figures = Figures(container, campaign_id, Books(container, campaign_id))
    campaign = container.campaigns.campaign(campaign_id)
    return page(
        title=campaign.name or campaign_id,
        lead=" · ".join(part for part in (campaign.artist, campaign_id, figures.days()) if part),
        balanced=all(check.holds for check in figures.books.checks()),
        tiles=tuple(figures.funnel().iter_rows()),
        sections=sections(figures),
        footer=f"campaign-workers {__version__}",
    )
