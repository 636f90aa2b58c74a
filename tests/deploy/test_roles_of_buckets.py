"""What workers do to the buckets in a whole campaign, held against their roles."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import attrs
import pytest
from dependency_injector import providers

from campaign_workers.container import Container
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.domain.storage.layout import (
    WaveState,
    rejected_key,
    scratch_prefix,
    wave_config_key,
    wave_errors_key,
)
from tests.deploy.permissions import Permission, allows, role_permissions
from tests.deploy.stack import ACCOUNT
from tests.journeys.whole_campaign import Call, run_campaign, uploads

ARNS: Final = {
    "lake": f"arn:aws:s3:::campaign-data-{ACCOUNT}",
    "scoring": f"arn:aws:s3:::scoring-{ACCOUNT}",
}
GET, PUT, LIST, DELETE = "s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject"
ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    # Without the right to list, S3 says "denied" of whatever is not there.
    "head": (GET, LIST),
    "open": (GET, LIST),
    "checksum": (GET, LIST),
    # What was put is read back, and an upload in parts that fails is ended.
    "put": (GET, PUT, "s3:AbortMultipartUpload"),
    "list": (LIST,),
    "delete": (DELETE,),
}
DAY: Final = date(2026, 9, 1)


def put(port: str, key: str, *more: str) -> set[Permission]:
    """The permissions to put an object, and `more` to do with it."""
    return {(action, f"{ARNS[port]}/{key}") for action in (*ACTIONS["put"], *more)}


RARELY: Final[dict[str, set[Permission]]] = {
    "transformCodeAssignments": put("lake", rejected_key("transformCodeAssignments", DAY, "batch")),
    "saveSelection": put("lake", rejected_key("saveSelection", DAY, "batch")),
    "loadCodeAssignmentsToStream": put("scoring", wave_errors_key("wave")),
    "generateSmsWaveCodes": put("scoring", wave_errors_key("wave")),
    "processScheduledWave": put("scoring", wave_errors_key("wave")),
    "smsWaveSend": put("scoring", wave_config_key("wave", WaveState.FAILED)),
    # Sources are copied for Athena, which writes results with the caller's permissions.
    "mergeAvroFiles": put("lake", scratch_prefix("run"), DELETE, "s3:ListMultipartUploadParts")
    | {("s3:GetBucketLocation", ARNS["lake"])},
}
"""What the campaign of this test, in which all goes well, gives no occasion for."""


@attrs.define
class Watched:
    """A bucket that notes which permissions each call of the present worker takes."""

    bucket: Any
    arn: str
    note: Callable[[Permission], None]

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.bucket, name)

        def noted(*args: Any, **kwargs: Any) -> Any:
            if name == "copy":
                self._note("open", args[0])
                self._note("put", args[1])
            elif name == "delete":
                args = (list(args[0]),)
                for key in args[0]:
                    self._note(name, key)
            else:
                self._note(name, args[0])
            return call(*args, **kwargs)

        return noted

    def _note(self, method: str, key: str) -> None:
        for action in ACTIONS[method]:
            self.note((action, self.arn if action == LIST else f"{self.arn}/{key}"))


@attrs.define
class Watch:
    """Knows which worker runs, and what each did."""

    done: dict[str, set[Permission]] = attrs.field(
        factory=lambda: {worker: set() for worker in WORKERS}
    )
    running: str | None = None

    def note(self, right: Permission) -> None:
        """Record an action of the running worker; ignore those of the operator."""
        if self.running:
            self.done[self.running].add(right)

    def wrap(self, call: Call) -> Call:
        """Watch both buckets of the container that `call` belongs to."""
        container: Container = call.__self__  # type: ignore[attr-defined]
        for port, arn in ARNS.items():
            bucket = getattr(container.wiring, port)
            bucket.override(providers.Object(Watched(bucket(), arn, self.note)))

        def watched(worker: str, event: Any) -> Report:
            self.running, before = worker, self.running
            try:
                return call(worker, event)
            finally:
                self.running = before

        return watched


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[Permission]]:
    """What each worker did to the buckets in one campaign."""
    files = uploads(tmp_path_factory.mktemp("roles") / "uploads")
    watch = Watch()
    run_campaign(files, tmp_path_factory.mktemp("out"), watch.wrap)
    return watch.done


@pytest.mark.parametrize("worker", WORKERS)
def test_a_role_allows_whatever_a_campaign_does(
    worker: str, done: dict[str, set[Permission]]
) -> None:
    """No object is read, written, listed or deleted that the role keeps from the worker."""
    permissions = role_permissions(worker)
    assert not [right for right in done[worker] if not allows(permissions, *right)]


@pytest.mark.parametrize("worker", WORKERS)
def test_a_role_allows_nothing_unused(worker: str, done: dict[str, set[Permission]]) -> None:
    """Each right to a bucket is used by the campaign, or for what happens when things go wrong."""
    used = done[worker] | RARELY.get(worker, set())
    permissions = {right for right in role_permissions(worker) if right[0].startswith("s3:")}
    assert not [right for right in permissions if not any(allows({right}, *what) for what in used)]


@pytest.mark.parametrize("worker", RARELY)
def test_a_role_allows_what_is_done_when_things_go_wrong(worker: str) -> None:
    """Rejected records, rows without a code, failed waves and queries have their places."""
    permissions = role_permissions(worker)
    assert not [right for right in RARELY[worker] if not allows(permissions, *right)]
