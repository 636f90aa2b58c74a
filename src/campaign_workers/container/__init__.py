"""The product, wired: the only room that knows which adapter serves which port.

Modules are imported when something in them is first needed, so that a worker loads its own
libraries alone.
"""

from campaign_workers.container.container import (
    Container,
    atomic_write,
    bucket,
    ensure_mongo_indexes,
    record_codec,
)

__all__ = ["Container", "atomic_write", "bucket", "ensure_mongo_indexes", "record_codec"]
