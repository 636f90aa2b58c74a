"""Merging files of the lake with Athena."""

from campaign_workers.adapters.aws.athena.engine import AthenaQueryEngine

__all__ = ["AthenaQueryEngine"]
