"""The SQLite file that holds tables, streams, queues and executions of the local profile."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import finalize

from campaign_workers.domain.errors import Fatal, RetryLater


class Database:
    """A connection that threads share, one at a time, with nested transactions.

    Write-ahead logging preserves committed changes when the process is killed. Other processes may
    use the same file. Every method waits up to `timeout_seconds` for a lock, then raises
    `RetryLater`; it raises the same if the file cannot be written, and `Fatal` if the file is not a
    database.
    """

    def __init__(self, path: Path, *, timeout_seconds: float = 60.0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._turn = RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, timeout=timeout_seconds
        )
        # Close with the last reference: Python 3.13 warns about open connections.
        self._close = finalize(self, self._connection.close)
        try:
            self.execute("PRAGMA journal_mode = WAL")
            self.execute("PRAGMA synchronous = NORMAL")
            # The default checkpoint at 4 MB halves the speed of puts.
            self.execute("PRAGMA wal_autocheckpoint = 16000")
        except BaseException:
            self.close()
            raise

    def execute(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with self._turn, _translate_errors():
            return self._connection.execute(sql, values).fetchall()

    def execute_many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run one statement for each of `rows` in a transaction."""
        with self.transaction(), _translate_errors():
            self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the changes of the block, or roll them back if it raises; can be nested."""
        with self._turn:
            name = f"level_{self._depth}"
            self.execute(f"SAVEPOINT {name}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                self.execute(f"RELEASE {name}" if self._depth > 1 else "COMMIT")
            except BaseException:
                self._roll_back(name)
                raise
            finally:
                self._depth -= 1

    def close(self) -> None:
        """Close the file; this also happens when the last reference is gone."""
        self._close()

    def _roll_back(self, name: str) -> None:
        # Some errors, for example a full disk, have ended the transaction already.
        if self._connection.in_transaction:
            if self._depth > 1:
                self.execute(f"ROLLBACK TO {name}")
                self.execute(f"RELEASE {name}")
            else:
                self.execute("ROLLBACK")


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Translate the errors of SQLite; errors of the caller's rows pass unchanged."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RetryLater(f"the database file: {error}") from None
    except sqlite3.DatabaseError as error:
        if type(error) is sqlite3.DatabaseError:
            raise Fatal(f"the database file: {error}") from None
        raise
