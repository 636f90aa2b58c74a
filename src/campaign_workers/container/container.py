"""The container: workers and ports of one profile."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from campaign_workers.container.ports import Ports
from campaign_workers.container.profiles import EMBEDDED, PROFILES, name_missing_extra
from campaign_workers.container.wiring import Wiring
from campaign_workers.container.workers import BUILDERS
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.reports import Report, Worker
from campaign_workers.domain.running.triggers import (
    FANLIST_RANKS_STREAM,
    INPUT_STREAM,
    VF_INPUT_STREAM,
    WORKERS,
    triggers,
)
from campaign_workers.domain.storage.layout import CAMPAIGN_DATA, SCORING
from campaign_workers.settings import Profile, Settings, load_settings
from campaign_workers.worker_library.metrics import run_worker

if TYPE_CHECKING:
    from campaign_workers.adapters.aws.traces import Traces
    from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
    from campaign_workers.adapters.fakes.codes import FakeCodeService
    from campaign_workers.adapters.local.journal import Journal
    from campaign_workers.adapters.local.runtime import Runtime
    from campaign_workers.adapters.mongo.indexes import Index
    from campaign_workers.container.embedded import Bucket
    from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
    from campaign_workers.ports.record_codec import RecordCodec
    from campaign_workers.ports.system import Clock


class Container(Ports):
    """The workers with the adapters of one profile.

    Args:
        profile: `memory` keeps everything in this object, `local` in the folder `settings.dir`,
            and `aws` uses the services of an account, the database and the services of other
            teams. Default: the profile of the settings.
        settings: default: those of the environment.
        starts: the start of a simulated clock, which advances only on sleep. Default: the clock
            of the machine.

    Raises:
        BadInput: there is no such profile.

    Example:
        >>> container = Container("memory")
        >>> container.streams["inputStream"].put([("fan-1", b"{not json")])
        1
        >>> container.runtime.run_until_idle()
        >>> [(run.worker, run.result["count"]["rejected"]) for run in container.journal.runs()]
        [('saveCampaignData', 1)]
    """

    def __init__(
        self,
        profile: Profile | None = None,
        *,
        settings: Settings | None = None,
        starts: datetime | None = None,
    ) -> None:
        chosen = settings or load_settings()
        self.settings = attrs.evolve(chosen, profile=profile or chosen.profile)
        if self.settings.profile not in PROFILES:
            raise BadInput(f"unknown profile; use one of {', '.join(PROFILES)}", field="profile")
        self.wiring = Wiring(ports=self, profile=self.settings.profile, clock=_clock(starts))
        if self.settings.profile in EMBEDDED:
            for name, store in self._embedded_buckets().items():
                store.on_created(partial(self._object_created, name))

    def worker(self, name: str) -> Callable[[Any], Report]:
        """Return the worker `name` (such as `processScoredFiles`), ready to be called.

        It takes its event (`domain.running.events`) or its request, or else the payload of an
        invocation, a schedule or a step.

        Raises:
            BadInput: there is no such worker.

        Example:
            >>> merge = Container("memory").worker("mergeAvroFiles")
            >>> dict(merge({"inputPrefix": "2026/09/01"}).details)["outcome"]
            'nothing there'
        """
        self.build_worker(name)
        return partial(self.call, name)

    def call(self, name: str, event: Any) -> Report:
        """Call the worker `name` and publish the counts of its report as metrics.

        Raises:
            BadInput: there is no such worker, or the payload is not a request of it.
            CampaignError: the worker failed.
        """
        return run_worker(*self.bind(name, event), self.metrics)

    def bind(self, name: str, event: Any) -> tuple[Callable[[Any], Report], Any]:
        """Return the worker `name` and the request to call it with; a payload is parsed.

        Raises:
            BadInput: there is no such worker, or the payload is not a request of it.
        """
        worker = self.build_worker(name)
        request = worker.parse(event) if isinstance(event, Mapping) else event
        return (self.traces.instrument(name, worker) if self.traces else worker), request

    def build_worker(self, name: str) -> Worker[Any]:
        """Return a new worker with its ports.

        Raises:
            BadInput: there is no such worker.
        """
        if name not in BUILDERS:
            raise BadInput(
                "unknown worker", field="worker", remedy=f"use one of {', '.join(WORKERS)}"
            )
        return BUILDERS[name](self)

    @cached_property
    def traces(self) -> "Traces | None":
        """Spans around calls, None unless the settings ask for them.

        Raises:
            BadInput: OpenTelemetry is not installed.
        """
        if not self.settings.traces:
            return None
        with name_missing_extra():
            from campaign_workers.adapters.aws.traces import Traces

            return Traces()

    @property
    def buckets(self) -> "Mapping[str, ObjectStore]":
        """Both buckets by name."""
        return {CAMPAIGN_DATA: self.lake, SCORING: self.scoring}

    @property
    def campaigns(self) -> "FakeCampaignService":
        """The campaign service of the embedded profiles, and its database."""
        return self.embedded.campaigns

    @property
    def code_pool(self) -> "FakeCodeService":
        """The code service of the embedded profiles."""
        return self.embedded.code_pool

    @cached_property
    def journal(self) -> "Journal":
        """The state of the embedded runtime: positions, runs and dead letters."""
        from campaign_workers.adapters.local.journal import Journal

        return Journal(self.embedded.tables)

    @cached_property
    def runtime(self) -> "Runtime":
        """The embedded runtime, which does what AWS does between workers.

        Raises:
            BadInput: the profile is `aws`.
        """
        if self.settings.profile not in EMBEDDED:
            raise BadInput(
                "profile 'aws' has no embedded runtime; AWS calls the workers", field="profile"
            )
        from campaign_workers.adapters.local.runtime import Runtime, Subscription

        consume = self.embedded.entries.consume
        return Runtime(
            call=self.call,
            journal=self.journal,
            streams=self.embedded.streams,
            queues=self.embedded.queues,
            workflow=self.embedded.workflow,
            clock=self.clock,
            triggers=triggers(self.settings.delivery),
            subscriptions=[
                Subscription(name="entries", stream=stream, consume=consume)
                for stream in (INPUT_STREAM, VF_INPUT_STREAM, FANLIST_RANKS_STREAM)
            ],
        )

    def _embedded_buckets(self) -> "Mapping[str, Bucket]":
        return {CAMPAIGN_DATA: self.embedded.lake, SCORING: self.embedded.scoring}

    def _object_created(self, bucket: str, info: "ObjectInfo") -> None:
        self.runtime.object_created(bucket, info)


def atomic_write(path: Path) -> AbstractContextManager[Path]:
    """Return a context that gives a temporary path and moves it to `path` when it succeeds."""
    from campaign_workers.adapters.local import atomic_files

    return atomic_files.atomic_write(path)


def record_codec() -> "RecordCodec":
    """Return the reader and writer of lake files, without a container."""
    from campaign_workers.adapters.avro.codec import AvroRecordCodec

    return AvroRecordCodec()


def bucket(name: str) -> "ObjectStore":
    """Return a bucket of the account, without a container.

    Raises:
        BadInput: the libraries of AWS are not installed.
    """
    with name_missing_extra():
        from campaign_workers.adapters.aws.clients import client
        from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore

        return S3ObjectStore(client("s3"), name)


def ensure_mongo_indexes(settings: Settings) -> "tuple[Index, ...]":
    """Create the indexes that the database lacks, and return all of them.

    Raises:
        BadInput: the settings name no database, or its driver is not installed.
        CampaignError: the database refuses or fails.
    """
    with name_missing_extra():
        from campaign_workers.adapters.mongo.connection import database
        from campaign_workers.adapters.mongo.indexes import ensure_indexes

        return ensure_indexes(
            database(
                settings.mongodb_uri,
                read_preference=settings.mongodb_read_preference,
                timeout_seconds=settings.mongodb_timeout_seconds,
            )
        )


def _clock(starts: datetime | None) -> "Clock":
    from campaign_workers.adapters.system.clocks import SteppedClock, SystemClock

    return SystemClock() if starts is None else SteppedClock(starts)
