"""The clients of a process: one a service, made when it is first asked for.

Where the services are and who asks is not said here: the SDK reads region, credentials and
`AWS_ENDPOINT_URL` as it does for everybody.
"""

import logging
from functools import cache
from threading import Lock
from typing import Any

from campaign_workers import __version__
from campaign_workers.adapters.aws.errors import translate_errors

_making = Lock()


def client(service: str, *, connections: int = 50, attempts: int = 5) -> Any:
    """The low-level client of `service`; threads share it, and its at most `connections`.

    A call is made up to `attempts` times, with pauses that grow; where a service throttles, the
    client slows down by itself.

    Raises:
        Fatal: the SDK's own settings, such as the region, are missing or wrong.
    """
    with _making, translate_errors(service, "client"):
        return _made(service, connections, attempts)


@cache
def _made(service: str, connections: int, attempts: int) -> Any:
    import boto3
    from botocore.config import Config

    for name in ("boto3", "botocore", "urllib3"):
        # Below this level the SDK logs what it sends: codes, phones, secrets.
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
