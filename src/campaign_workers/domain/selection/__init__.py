"""Selection: which fans get a place in which market."""

from campaign_workers.domain.selection.options import MarketQuota, SelectionOptions
from campaign_workers.domain.selection.selection import Selection, select_fans

__all__ = ["MarketQuota", "Selection", "SelectionOptions", "select_fans"]
