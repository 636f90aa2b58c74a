"""Scrubbing: which fans may take part in a campaign's draw, and why the others may not."""

from campaign_workers.domain.scrub.policy import ScrubPolicy
from campaign_workers.domain.scrub.scrubbing import scrub

__all__ = ["ScrubPolicy", "scrub"]
