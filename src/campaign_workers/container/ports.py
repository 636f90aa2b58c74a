"""Every port by name, with its type: what builders ask, and what an editor completes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from campaign_workers.settings import Settings

if TYPE_CHECKING:
    from pymongo.database import Database as MongoDatabase

    from campaign_workers.adapters.fakes.campaigns import (
        FakeCampaignService,
        FakeMarketRepository,
    )
    from campaign_workers.adapters.fakes.codes import FakeCodeService, FakeOfferCodes
    from campaign_workers.adapters.fakes.entries import FakeEntryService
    from campaign_workers.adapters.fakes.messages import FakeChat, FakeSmsService
    from campaign_workers.adapters.fakes.tables import Tables
    from campaign_workers.adapters.fakes.users import FakeUserService
    from campaign_workers.adapters.local.sqlite import Database
    from campaign_workers.container.embedded import (
        Bucket,
        Queue,
        Stream,
        Workflow,
        WritableSecrets,
    )
    from campaign_workers.container.wiring import Wiring
    from campaign_workers.ports.campaign_service import CampaignService
    from campaign_workers.ports.chat import Chat
    from campaign_workers.ports.code_service import CodeService
    from campaign_workers.ports.entry_service import EntryService
    from campaign_workers.ports.object_store import ObjectStore
    from campaign_workers.ports.offer_codes import OfferCodes
    from campaign_workers.ports.query_engine import QueryEngine
    from campaign_workers.ports.record_codec import RecordCodec
    from campaign_workers.ports.repositories import (
        AdminStatsRepository,
        CampaignRepository,
        EntryRepository,
        MarketRepository,
    )
    from campaign_workers.ports.sms_service import SmsService
    from campaign_workers.ports.streams import MessageQueue, RecordStream
    from campaign_workers.ports.system import Clock, Deadline, Metrics, Secrets
    from campaign_workers.ports.tables import DeliveryLedger, DemandTable
    from campaign_workers.ports.user_service import UserService
    from campaign_workers.ports.workflow import WorkflowStarter
    from campaign_workers.ports.zip_writer import ZipWriter


@attrs.frozen
class Embedded:
    """The adapters of the embedded profiles, with all that they can do beyond their ports.

    Any of them raises `BadInput` in the profile `aws`.
    """

    _wiring: "Wiring"

    @property
    def database(self) -> "Database":
        """The SQLite file of the folder."""
        return self._wiring.database()

    @property
    def tables(self) -> "Tables":
        """The tables that all fakes share."""
        return self._wiring.tables()

    @property
    def lake(self) -> "Bucket":
        """The bucket `campaignData`."""
        return self._wiring.embedded_lake()

    @property
    def scoring(self) -> "Bucket":
        """The bucket `scoring`."""
        return self._wiring.embedded_scoring()

    @property
    def streams(self) -> "Mapping[str, Stream]":
        """The streams by name."""
        return self._wiring.embedded_streams()

    @property
    def queues(self) -> "Mapping[str, Queue]":
        """The queues by name."""
        return self._wiring.embedded_queues()

    @property
    def workflow(self) -> "Workflow":
        """The executions of the state machine."""
        return self._wiring.embedded_workflow()

    @property
    def secrets(self) -> "WritableSecrets":
        """The secrets, which can be written."""
        return self._wiring.embedded_secrets()

    @property
    def campaigns(self) -> "FakeCampaignService":
        """The campaign service and its database."""
        return self._wiring.campaigns()

    @property
    def markets(self) -> "FakeMarketRepository":
        """The markets of that database."""
        return self._wiring.markets()

    @property
    def users(self) -> "FakeUserService":
        """The user service."""
        return self._wiring.users()

    @property
    def entries(self) -> "FakeEntryService":
        """The entry service and its database."""
        return self._wiring.entries()

    @property
    def code_pool(self) -> "FakeCodeService":
        """The code service."""
        return self._wiring.code_pool()

    @property
    def offer_codes(self) -> "FakeOfferCodes":
        """The offer code service."""
        return self._wiring.embedded_offer_codes()

    @property
    def sms(self) -> "FakeSmsService":
        """The SMS service."""
        return self._wiring.embedded_sms()

    @property
    def chat(self) -> "FakeChat":
        """The chat."""
        return self._wiring.embedded_chat()


class Ports:
    """The ports of one profile, each served by the adapter that `Wiring` chooses."""

    settings: Settings
    wiring: "Wiring"

    @property
    def embedded(self) -> Embedded:
        """The adapters of the embedded profiles."""
        return Embedded(self.wiring)

    @property
    def lake(self) -> "ObjectStore":
        """The bucket `campaignData`."""
        return self.wiring.lake()

    @property
    def scoring(self) -> "ObjectStore":
        """The bucket `scoring`."""
        return self.wiring.scoring()

    @property
    def streams(self) -> "Mapping[str, RecordStream]":
        """The streams by name."""
        return self.wiring.streams()

    @property
    def queues(self) -> "Mapping[str, MessageQueue]":
        """The queues by name."""
        return self.wiring.queues()

    @property
    def workflow(self) -> "WorkflowStarter":
        """The state machine of waves."""
        return self.wiring.workflow()

    @property
    def demand(self) -> "DemandTable":
        """The demand table."""
        return self.wiring.demand()

    @property
    def ledger(self) -> "DeliveryLedger":
        """The delivery ledger."""
        return self.wiring.ledger()

    @property
    def secrets(self) -> "Secrets":
        """The secrets."""
        return self.wiring.secrets()

    @property
    def clock(self) -> "Clock":
        """The clock, real or simulated."""
        return self.wiring.clock()

    @property
    def metrics(self) -> "Metrics":
        """The metrics."""
        return self.wiring.metrics()

    @property
    def deadline(self) -> "Deadline":
        """The time at which this run is ended."""
        return self.wiring.deadline()

    @property
    def documents(self) -> "MongoDatabase[dict[str, Any]]":
        """The database of the profile `aws`."""
        return self.wiring.documents()

    @property
    def campaign_repository(self) -> "CampaignRepository":
        """The campaigns of the database."""
        return self.wiring.campaign_repository()

    @property
    def market_repository(self) -> "MarketRepository":
        """The markets of the database."""
        return self.wiring.market_repository()

    @property
    def entry_repository(self) -> "EntryRepository":
        """The entries of the database."""
        return self.wiring.entry_repository()

    @property
    def admin_stats(self) -> "AdminStatsRepository":
        """The statistics of the database."""
        return self.wiring.admin_stats()

    @property
    def campaign_service(self) -> "CampaignService":
        """The campaign service."""
        return self.wiring.campaign_service()

    @property
    def entry_service(self) -> "EntryService":
        """The entry service."""
        return self.wiring.entry_service()

    @property
    def code_service(self) -> "CodeService":
        """The code service."""
        return self.wiring.code_service()

    @property
    def user_service(self) -> "UserService":
        """The user service."""
        return self.wiring.user_service()

    @property
    def offer_codes(self) -> "OfferCodes":
        """The offer code service."""
        return self.wiring.offer_codes()

    @property
    def sms(self) -> "SmsService":
        """The SMS service."""
        return self.wiring.sms()

    @property
    def chat(self) -> "Chat":
        """The chat."""
        return self.wiring.chat()

    @property
    def codec(self) -> "RecordCodec":
        """The reader and writer of the files of the lake."""
        return self.wiring.codec()

    @property
    def engine(self) -> "QueryEngine":
        """The query engine."""
        return self.wiring.engine()

    @property
    def zips(self) -> "ZipWriter":
        """The writer of zip archives."""
        return self.wiring.zips()
