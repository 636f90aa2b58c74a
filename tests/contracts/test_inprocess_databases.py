"""The stand-ins of the demand table, the ledger and `adminStats` keep their contracts."""

from collections.abc import Callable

import pytest

from campaign_workers.adapters.fakes.admin_stats import TableAdminStats
from campaign_workers.adapters.fakes.demand import TableDemand
from campaign_workers.adapters.fakes.ledger import TableLedger
from campaign_workers.adapters.fakes.tables import Tables
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.admin_stats_repository import AdminStatsRepositoryContract
from campaign_workers.testing.contracts.delivery_ledger import DeliveryLedgerContract
from campaign_workers.testing.contracts.demand_table import DemandTableContract
from tests.contracts.over_tables import FreshIds, OverTables


class TestDemandTable(OverTables, DemandTableContract):
    """`TableDemand`."""

    @pytest.fixture
    def table(self, tables: Tables) -> TableDemand:
        return TableDemand(tables)

    @pytest.fixture
    def fresh_id(self) -> Callable[[], str]:
        return FreshIds()

    @pytest.fixture
    def outage(self, table: TableDemand) -> Outage:
        return table.faults.outage


class TestDeliveryLedger(OverTables, DeliveryLedgerContract):
    """`TableLedger`."""

    @pytest.fixture
    def ledger(self, tables: Tables) -> TableLedger:
        return TableLedger(tables)

    @pytest.fixture
    def outage(self, ledger: TableLedger) -> Outage:
        return ledger.faults.outage


class TestAdminStatsRepository(OverTables, AdminStatsRepositoryContract):
    """`TableAdminStats`."""

    @pytest.fixture
    def repository(self, tables: Tables) -> TableAdminStats:
        return TableAdminStats(tables)

    @pytest.fixture
    def outage(self, repository: TableAdminStats) -> Outage:
        return repository.faults.outage
