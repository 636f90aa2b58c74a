"""Statistics of a campaign and their Slack messages."""

from campaign_workers.domain.stats.admin import AdminStats, Entry, admin_stats

__all__ = ["AdminStats", "Entry", "admin_stats"]
