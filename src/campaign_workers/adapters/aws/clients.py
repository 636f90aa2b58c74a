"""The boto3 clients of a process: one per service, created on first use.

Region, credentials and `AWS_ENDPOINT_URL` come from the SDK's own configuration.
"""

import logging
from functools import cache
from threading import Lock
from typing import Any

from campaign_workers import __version__
from campaign_workers.adapters.aws.errors import translate_errors

_lock = Lock()


def client(service: str, *, connections: int = 50, attempts: int = 5) -> Any:
    """Return the low-level client of `service`, which threads share.

    The client keeps at most `connections` open, makes each call up to `attempts` times with
    growing pauses, and slows down when the service throttles it.

    Raises:
        Fatal: the SDK's own configuration, for example the region, is missing or wrong.
    """
    with _lock, translate_errors(service, "client"):
        return _build_client(service, connections, attempts)


@cache
def _build_client(service: str, connections: int, attempts: int) -> Any:
    import boto3
    from botocore.config import Config

    for name in ("boto3", "botocore", "urllib3"):
        # At DEBUG the SDK logs what it sends: codes, phones, secrets.
        logging.getLogger(name).setLevel(logging.INFO)
    return boto3.client(
        service,
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=connections,
            retries={"mode": "adaptive", "total_max_attempts": attempts},
            tcp_keepalive=True,
            user_agent_extra=f"campaign-workers/{__version__}",
        ),
    )
