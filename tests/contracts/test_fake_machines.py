"""Fakes are compared with models in any sequence of calls, in memory and in SQLite."""

from pathlib import Path

from campaign_workers.adapters.fakes.codes import FakeCodeService
from campaign_workers.adapters.fakes.databases import FakeDeliveryLedger
from campaign_workers.adapters.local.sqlite import Database
from campaign_workers.adapters.local.tables import SqliteTables
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.ports.tables import DeliveryLedger
from campaign_workers.testing.builders import CREATED
from campaign_workers.testing.machines.codes import CodePoolMachine, CodePoolUnderTest
from campaign_workers.testing.machines.ledger import LedgerMachine


def under_test(tables: DictTables | SqliteTables) -> CodePoolUnderTest:
    """A fresh pool over tables."""
    clock = SteppedClock(CREATED)
    pool = FakeCodeService(tables, clock)
    return CodePoolUnderTest(
        service=pool,
        load=pool.load,
        available=pool.available,
        advance=clock.advance,
        now=clock.now,
        atomic=tables("any").atomic,
    )


class CodePoolInMemory(CodePoolMachine):
    """`FakeCodeService` over dicts."""

    def start(self) -> CodePoolUnderTest:
        """A fresh pool."""
        return under_test(DictTables())


class CodePoolInSqlite(CodePoolMachine):
    """`FakeCodeService` over SQLite."""

    def start(self) -> CodePoolUnderTest:
        """A fresh pool in a fresh database."""
        self.database = Database(Path(":memory:"))
        return under_test(SqliteTables(self.database))

    def teardown(self) -> None:
        """Let go of the database."""
        self.database.close()


class LedgerInMemory(LedgerMachine):
    """`FakeDeliveryLedger` over dicts."""

    def start(self) -> DeliveryLedger:
        """A fresh ledger."""
        return FakeDeliveryLedger(DictTables())


class LedgerInSqlite(LedgerMachine):
    """`FakeDeliveryLedger` over SQLite."""

    def start(self) -> DeliveryLedger:
        """A fresh ledger in a fresh database."""
        self.database = Database(Path(":memory:"))
        return FakeDeliveryLedger(SqliteTables(self.database))

    def teardown(self) -> None:
        """Let go of the database."""
        self.database.close()


TestCodePoolInMemory = CodePoolInMemory.TestCase
TestCodePoolInSqlite = CodePoolInSqlite.TestCase
TestLedgerInMemory = LedgerInMemory.TestCase
TestLedgerInSqlite = LedgerInSqlite.TestCase
