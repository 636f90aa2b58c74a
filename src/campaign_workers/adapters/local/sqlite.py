"""One SQLite file: tables of rows, streams, queues and starts of the state machine lie in it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from campaign_workers.domain.errors import RetryLater


class Database:
    """A connection that threads take turns on; changes in a transaction are kept together.

    Write-ahead logging keeps what is committed when the process is killed.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lock = RLock()
        self._in_transaction = False
        self._connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, timeout=60
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        # Moving the log into the file every 4 MB, as is usual, costs a third of the speed of puts.
        self._connection.execute("PRAGMA wal_autocheckpoint = 16000")

    def execute(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows.

        Raises:
            RetryLater: another process holds the file too long, or the disk fails.
        """
        with self.lock, _said_clearly():
            return self._connection.execute(sql, values).fetchall()

    def execute_many(self, sql: str, rows: Iterator[tuple[object, ...]]) -> int:
        """Run one statement for each of `rows`, all or none; how many rows it changed.

        Raises:
            RetryLater: another process holds the file too long, or the disk fails.
        """
        with self.transaction(), _said_clearly():
            return self._connection.executemany(sql, rows).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes in the context or none; a context within a context joins it.

        Raises:
            RetryLater: another process holds the file too long, or the disk fails.
        """
        with self.lock:
            if self._in_transaction:
                yield
                return
            self.execute("BEGIN IMMEDIATE")
            self._in_transaction = True
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._in_transaction = False

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


@contextmanager
def _said_clearly() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RetryLater(f"the database of this folder: {error}") from None
