"""The product, wired: the only place that knows which adapter serves which port.

`wiring` is the table; `Container` is how everybody asks it. Modules are imported when something of
them is first needed, so that a worker pays for its own libraries alone.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import attrs

from campaign_workers.container.ports import EMBEDDED, PROFILES
from campaign_workers.container.providing import ADAPTERS, lazy
from campaign_workers.container.wiring import Wiring
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
from campaign_workers.domain.wire import to_snake
from campaign_workers.settings import Profile, Settings, load_settings
from campaign_workers.worker_library.metrics import run_worker

if TYPE_CHECKING:
    from campaign_workers.adapters.aws.traces import Traces
    from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
    from campaign_workers.adapters.fakes.codes import FakeCodeService
    from campaign_workers.adapters.local.journal import Journal
    from campaign_workers.adapters.local.runtime import Runtime
    from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
    from campaign_workers.ports.record_codec import RecordCodec
    from campaign_workers.ports.system import Clock, Metrics

__all__ = ["Container", "bucket", "ensure_mongo_indexes", "record_codec"]


class Container:
    """The product, wired for one profile.

    `memory` keeps everything in this object, `local` in the folder `settings.dir`, and `aws` calls
    the services of an account, the database and other teams' services. With `starts` the clock
    stands there and moves only when somebody waits; without, it is the machine's.

    Raises:
        BadInput: there is no such profile.
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
            raise BadInput(
                "no such profile", field="profile", remedy=f"use one of {', '.join(PROFILES)}"
            )
        clocks = f"{ADAPTERS}.system.clocks"
        clock = (
            lazy(f"{clocks}:SteppedClock")(starts) if starts else lazy(f"{clocks}:SystemClock")()
        )
        self.wiring = Wiring(settings=self.settings, clock=clock)
        self.wiring.check_dependencies()
        if self.settings.profile in EMBEDDED:
            for name, bucket in self.buckets.items():
                bucket.on_created(partial(self._created, name))

    def worker(self, name: str) -> Callable[[Any], Report]:
        """The worker `name` (such as `processScoredFiles`).

        It takes its event (`domain.running.events`), or the payload of an invocation or a schedule,
        and publishes the counts of its report as metrics.

        Raises:
            BadInput: there is no such worker.
        """
        if name not in WORKERS:
            raise BadInput(
                "no such worker", field="worker", remedy=f"use one of {', '.join(WORKERS)}"
            )
        worker: Worker[Any] = getattr(self.wiring, to_snake(name))()
        call = self.traces.instrument(name, worker) if self.traces else worker
        metrics: Metrics = self.wiring.metrics()
        return lambda event: run_worker(
            call, worker.parse(event) if isinstance(event, Mapping) else event, metrics
        )

    def call(self, name: str, event: Any) -> Report:
        """Call the worker `name`.

        Raises:
            CampaignError: whatever the worker raises.
        """
        return self.worker(name)(event)

    def _created(self, bucket: str, info: "ObjectInfo") -> None:
        self.runtime.object_created(bucket, info)

    @cached_property
    def traces(self) -> "Traces | None":
        """Spans around calls, if they are asked for.

        Raises:
            BadInput: OpenTelemetry is not installed.
        """
        if not self.settings.traces:
            return None
        try:
            traces: Traces = lazy(f"{ADAPTERS}.aws.traces:Traces")()
        except ModuleNotFoundError:
            raise BadInput(
                "OpenTelemetry is not installed",
                field="traces",
                remedy="install campaign-workers[traces]",
            ) from None
        return traces

    @cached_property
    def clock(self) -> "Clock":
        """What time it is."""
        clock: Clock = self.wiring.clock()
        return clock

    @cached_property
    def buckets(self) -> Mapping[str, Any]:
        """The two buckets by name."""
        return {CAMPAIGN_DATA: self.wiring.lake(), SCORING: self.wiring.scoring()}

    @property
    def lake(self) -> Any:
        """The bucket `campaignData`."""
        return self.buckets[CAMPAIGN_DATA]

    @property
    def scoring(self) -> Any:
        """The bucket `scoring`."""
        return self.buckets[SCORING]

    @cached_property
    def streams(self) -> Mapping[str, Any]:
        """The streams by name."""
        streams: Mapping[str, Any] = self.wiring.streams()
        return streams

    @cached_property
    def queues(self) -> Mapping[str, Any]:
        """The queues by name."""
        queues: Mapping[str, Any] = self.wiring.queues()
        return queues

    @cached_property
    def campaigns(self) -> "FakeCampaignService":
        """The stand-in of the campaign service and its database."""
        store: FakeCampaignService = self.wiring.campaigns()
        return store

    @cached_property
    def code_pool(self) -> "FakeCodeService":
        """The stand-in of the code service."""
        pool: FakeCodeService = self.wiring.code_pool()
        return pool

    @property
    def secrets(self) -> Any:
        """The secrets."""
        return self.wiring.secrets()

    @cached_property
    def codec(self) -> "RecordCodec":
        """What reads and writes files of the lake."""
        codec: RecordCodec = self.wiring.codec()
        return codec

    @cached_property
    def journal(self) -> "Journal":
        """What the embedded runtime remembers."""
        from campaign_workers.adapters.local.journal import Journal

        return Journal(self.wiring.tables())

    @cached_property
    def runtime(self) -> "Runtime":
        """What AWS does between workers, for the embedded profiles.

        Raises:
            BadInput: the profile is `aws`, where AWS does it.
        """
        if self.settings.profile not in EMBEDDED:
            raise BadInput("AWS itself calls the workers of this profile", field="profile")
        from campaign_workers.adapters.local.runtime import Runtime, Subscription

        consume = self.wiring.entries().consume
        return Runtime(
            call=self.call,
            journal=self.journal,
            streams=self.streams,
            queues=self.queues,
            workflow=self.wiring.workflow(),
            clock=self.clock,
            triggers=triggers(self.settings.delivery),
            subscriptions=[
                Subscription(name="entries", stream=stream, consume=consume)
                for stream in (INPUT_STREAM, VF_INPUT_STREAM, FANLIST_RANKS_STREAM)
            ],
        )


def record_codec() -> "RecordCodec":
    """What reads and writes files of the lake, without a container around it."""
    codec: RecordCodec = lazy(f"{ADAPTERS}.avro.codec:AvroRecordCodec")()
    return codec


def bucket(name: str) -> "ObjectStore":
    """A bucket of the account, without a container around it.

    Raises:
        BadInput: the libraries of AWS are not installed.
    """
    try:
        client = lazy(f"{ADAPTERS}.aws.clients:client")("s3")
        store: ObjectStore = lazy(f"{ADAPTERS}.aws.s3.object_store:S3ObjectStore")(client, name)
    except ModuleNotFoundError:
        raise BadInput(
            "the libraries of AWS are not installed",
            field="s3",
            remedy="install campaign-workers[aws]",
        ) from None
    return store


def ensure_mongo_indexes(settings: Settings) -> Any:
    """Create the indexes that are missing in the database; says of each whether it was made.

    Raises:
        BadInput: the settings name no database, or its driver is not installed.
        CampaignError: the database refuses or fails.
    """
    try:
        database = lazy(f"{ADAPTERS}.mongo.connection:database")(
            settings.mongodb_uri,
            read_preference=settings.mongodb_read_preference,
            timeout_seconds=settings.mongodb_timeout_seconds,
        )
    except ModuleNotFoundError:
        raise BadInput(
            "the driver is not installed", field="mongo", remedy="install campaign-workers[mongo]"
        ) from None
    return lazy(f"{ADAPTERS}.mongo.indexes:ensure_indexes")(database)
