"""The clients of a process."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from campaign_workers.adapters.aws import clients
from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore
from campaign_workers.domain.errors import Fatal, RetryLater
from tests.servers.aws import CREDENTIALS, FreshAws
from tests.servers.aws_faults import Fault, FaultyCloud, lost, refused


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, cloud: FaultyCloud) -> Iterator[None]:
    """What the SDK finds in its environment; clients are those of this test."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    clients._build_client.cache_clear()
    yield
    clients._build_client.cache_clear()


def test_a_process_has_one_client_of_a_service() -> None:
    """Threads that ask at the same moment get the same one; another service has its own."""
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(lambda _: clients.client("s3"), range(8)))
    assert made == {clients.client("s3")}
    assert clients.client("sqs") not in made


def test_a_client_has_limits() -> None:
    """Waiting, trying and connections have an end."""
    config = clients.client("sqs", connections=7, attempts=3).meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 30)
    assert config.max_pool_connections == 7
    assert config.retries == {"mode": "adaptive", "total_max_attempts": 3}
    assert "campaign-workers/" in config.user_agent_extra


def test_a_client_asks_where_the_environment_says(cloud: FaultyCloud, aws: FreshAws) -> None:
    """`AWS_ENDPOINT_URL` is the SDK's own setting."""
    store = S3ObjectStore(clients.client("s3"), aws.bucket())
    store.put("k", b"x")
    assert len(cloud.asked("PUT", "/k")) == 1


@pytest.mark.parametrize("attempts", [3, 5])
def test_throttled_calls_are_made_again(cloud: FaultyCloud, aws: FreshAws, attempts: int) -> None:
    """As often as it was said, and no more."""
    store = S3ObjectStore(clients.client("s3", attempts=attempts), aws.bucket())
    busy = Fault("PUT", refused(503, "SlowDown"), "/k")
    cloud.order(*[busy] * (attempts - 1))
    store.put("k", b"x")
    assert len(cloud.asked("PUT", "/k")) == attempts
    cloud.order(*[busy] * attempts)
    with pytest.raises(RetryLater, match="too many requests"):
        store.put("k", b"x")
    assert len(cloud.asked("PUT", "/k")) == 2 * attempts


def test_broken_connections_are_made_again(cloud: FaultyCloud, aws: FreshAws) -> None:
    """An answer that got lost is asked for again."""
    store = S3ObjectStore(clients.client("s3"), aws.bucket())
    store.put("k", b"x")
    cloud.order(Fault("HEAD", lost(), "/k"))
    assert store.head("k").size == 1


def test_a_missing_region_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a setting of the SDK."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    with pytest.raises(Fatal, match="kinesis: client: no region is configured; set AWS_REGION"):
        clients.client("kinesis")


def test_a_missing_profile_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is the profile."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    with pytest.raises(Fatal, match="set AWS_PROFILE"):
        clients.client("sqs")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)


def test_the_sdk_does_not_log_what_it_sends() -> None:
    """Whatever the level of other loggers, its requests and answers stay out of the log."""
    clients.client("sqs")
    for name in ("boto3", "botocore", "urllib3"):
        assert logging.getLogger(name).level == logging.INFO


def test_importing_the_clients_loads_no_sdk_client() -> None:
    """boto3 is loaded when a client is asked for."""
    program = (
        "import sys; import campaign_workers.adapters.aws.clients; print('boto3' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "False"
