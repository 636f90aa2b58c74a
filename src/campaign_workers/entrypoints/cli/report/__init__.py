"""The HTML report of a campaign."""

from campaign_workers.entrypoints.cli.report.page import MissingCharts, write_report

__all__ = ["MissingCharts", "write_report"]
