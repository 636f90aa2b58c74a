"""The indexes are there, and the queries use them."""

import json
from time import monotonic
from typing import Any

import pytest
from pymongo.database import Database

from campaign_workers.adapters.mongo.connection import database as connect
from campaign_workers.adapters.mongo.entries import build_pipeline
from campaign_workers.adapters.mongo.indexes import INDEXES, ensure_indexes
from campaign_workers.domain.errors import RetryLater
from campaign_workers.entrypoints.cli import run
from campaign_workers.testing.builders import campaign, entry
from campaign_workers.testing.contracts._base import Outage
from tests.servers.mongo import OverMongo, relay, uri_of
from tests.servers.mongo_documents import Document, plant_campaign, plant_entries

QUERIES: dict[str, dict[str, Any]] = {
    "campaigns": {"find": "campaigns", "filter": {"status": "OPEN"}, "sort": {"_id": 1}},
    "markets": {"find": "markets", "filter": {"campaign_id": {"$in": ["tour"]}}},
    "entries": {"find": "entries", "filter": build_pipeline("tour")[0]["$match"]},
}


class TestIndexes(OverMongo):
    """`ensure_indexes`."""

    def test_indexes_are_made_once(self, database: Database[Document]) -> None:
        """The second time all of them are there, and nothing is made."""
        assert {index.collection: index.created for index in ensure_indexes(database)} == (
            dict.fromkeys(INDEXES, True)
        )
        assert not any(index.created for index in ensure_indexes(database))

    def test_an_index_of_another_name_will_do(
        self, database: Database[Document], raw: Database[Document]
    ) -> None:
        """What counts are the keys; a partial index, or one the other way round, does not do."""
        raw.entries.create_index("_id.campaign_id", name="older")
        raw.campaigns.create_index([("_id", 1), ("status", 1)])
        raw.markets.create_index("campaign_id", name="few", partialFilterExpression={"state": "NY"})
        made = {index.collection: index.created for index in ensure_indexes(database)}
        assert made == {"campaigns": True, "markets": True, "entries": False}

    @pytest.mark.parametrize("name", QUERIES)
    def test_no_query_reads_a_whole_collection(
        self, database: Database[Document], raw: Database[Document], name: str
    ) -> None:
        """Each query of the repositories goes by its index."""
        for number in range(3):
            plant_campaign(raw, campaign(f"c{number}"))
            plant_entries(raw, [entry(campaign_id=f"c{number}")])
        ensure_indexes(database)
        plan = json.dumps(raw.command("explain", QUERIES[name])["queryPlanner"], default=str)
        assert "IXSCAN" in plan
        assert "COLLSCAN" not in plan

    def test_an_outage_asks_for_another_try(
        self, database: Database[Document], outage: Outage
    ) -> None:
        """No index is reported while the database cannot be reached."""
        with outage(), pytest.raises(RetryLater):
            ensure_indexes(database)

    def test_an_outage_is_known_at_once(self, raw: Database[Document]) -> None:
        """Building may take hours, and finding out that there is no database the time of a call."""
        away = connect(uri_of(raw.name), timeout_seconds=1)
        started = monotonic()
        with away.client, relay().cut(), pytest.raises(RetryLater):
            ensure_indexes(away)
        assert monotonic() - started < 20

    def test_the_command_says_what_it_made(
        self,
        database: Database[Document],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """`mongo ensure-indexes` goes where the environment says and lists every index."""
        monkeypatch.setenv("CAMPAIGN_WORKERS_MONGODB_URI", uri_of(database.name))
        for said in ("created", "there"):
            assert run(["mongo", "ensure-indexes", "--json"]) == 0
            rows = json.loads(capsys.readouterr().out)
            assert {row["collection"]: row["keys"] for row in rows} == {
                name: ", ".join(keys) for name, keys in INDEXES.items()
            }
            assert {row["index"] for row in rows} == {said}


def test_the_command_needs_an_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without one it says which variable to set."""
    monkeypatch.delenv("CAMPAIGN_WORKERS_MONGODB_URI", raising=False)
    assert run(["mongo", "ensure-indexes"]) == 2
    assert "CAMPAIGN_WORKERS_MONGODB_URI" in capsys.readouterr().err
