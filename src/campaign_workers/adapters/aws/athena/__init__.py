"""The `QueryEngine` port on Amazon Athena."""

from campaign_workers.adapters.aws.athena.engine import AthenaQueryEngine

__all__ = ["AthenaQueryEngine"]
