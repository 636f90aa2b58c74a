"""The fakes of the demand table, the ledger and `adminStats` satisfy their contracts."""

from collections.abc import Callable

import pytest

from campaign_workers.adapters.fakes.databases import (
    FakeAdminStatsRepository,
    FakeDeliveryLedger,
    FakeDemandTable,
)
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.admin_stats_repository import AdminStatsRepositoryContract
from campaign_workers.testing.contracts.delivery_ledger import DeliveryLedgerContract
from campaign_workers.testing.contracts.demand_table import DemandTableContract
from tests.contracts.over_tables import FreshIds, OverTables


class TestDemandTable(OverTables, DemandTableContract):
    """`FakeDemandTable`."""

    @pytest.fixture
    def table(self, tables: Tables) -> FakeDemandTable:
        return FakeDemandTable(tables)

    @pytest.fixture
    def fresh_id(self) -> Callable[[], str]:
        return FreshIds()

    @pytest.fixture
    def outage(self, table: FakeDemandTable) -> Outage:
        return table.faults.outage


class TestDeliveryLedger(OverTables, DeliveryLedgerContract):
    """`FakeDeliveryLedger`."""

    @pytest.fixture
    def ledger(self, tables: Tables) -> FakeDeliveryLedger:
        return FakeDeliveryLedger(tables)

    @pytest.fixture
    def outage(self, ledger: FakeDeliveryLedger) -> Outage:
        return ledger.faults.outage


class TestAdminStatsRepository(OverTables, AdminStatsRepositoryContract):
    """`FakeAdminStatsRepository`."""

    @pytest.fixture
    def repository(self, tables: Tables) -> FakeAdminStatsRepository:
        return FakeAdminStatsRepository(tables)

    @pytest.fixture
    def outage(self, repository: FakeAdminStatsRepository) -> Outage:
        return repository.faults.outage
