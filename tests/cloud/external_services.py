"""What a stack speaks to beyond AWS: a database, and the services of other teams, on loopback."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

import attrs
from pymongo.database import Database

from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.lottery import seed_secret_name
from campaign_workers.doubles import LOCAL_TOKEN, Doubles, ServiceFakes, serve
from tests.servers.mongo import raw_client, uri_of
from tests.servers.mongo_documents import Document, plant_campaign

SEED: Final = "seed of a campaign that nobody holds"


@attrs.frozen(kw_only=True)
class ExternalServices:
    """The doubles of the services and where they answer, and a database of one's own."""

    doubles: Doubles
    services_url: str
    database: Database[Document]

    @property
    def mongodb_uri(self) -> str:
        """The address of the database."""
        return uri_of(self.database.name)

    @property
    def parameters(self) -> Mapping[str, str]:
        """What the template wants to know of them."""
        return {"ServicesUrl": self.services_url}

    @property
    def secrets(self) -> Mapping[str, str]:
        """What a stack keeps secret about them."""
        tokens = {f"services/{service}/token": LOCAL_TOKEN for service in Doubles.services}
        return {**tokens, "mongodb/uri": self.mongodb_uri}

    def know(self, campaign: Campaign) -> Mapping[str, str]:
        """Let services and database know a campaign; the secrets that it has."""
        self.doubles.fakes.campaigns.put(campaign)
        plant_campaign(self.database, campaign)
        return {seed_secret_name(campaign.campaign_id): SEED}


@contextmanager
def external_services() -> Iterator[ExternalServices]:
    """Serve them as long as the context lasts; the database is gone afterwards."""
    name = f"campaigns_{uuid4().hex}"
    doubles = Doubles(ServiceFakes.over(DictTables(), SystemClock()))
    with serve(doubles.app) as address:
        try:
            yield ExternalServices(
                doubles=doubles,
                services_url=f"{address}/{{service}}",
                database=raw_client()[name],
            )
        finally:
            raw_client().drop_database(name)
