"""One SQLite file: tables of rows, streams, queues and starts of the state machine lie in it."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import finalize

from campaign_workers.domain.errors import Fatal, RetryLater


class Database:
    """A connection that threads take turns on; changes in a transaction are kept together.

    Write-ahead logging keeps what is committed when the process is killed. Another process may
    use the same file; whoever finds it locked waits for `patience_seconds`. Every method raises
    `RetryLater` when the file is locked for longer or cannot be written, and `Fatal` when it is
    no database.
    """

    def __init__(self, path: Path, *, patience_seconds: float = 60.0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._turn = RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, timeout=patience_seconds
        )
        # Whoever drops a container need not close it: Python 3.13 warns of open connections.
        self._close = finalize(self, self._connection.close)
        try:
            self.execute("PRAGMA journal_mode = WAL")
            self.execute("PRAGMA synchronous = NORMAL")
            # Moving the log into the file every 4 MB, as is usual, halves the speed of puts.
            self.execute("PRAGMA wal_autocheckpoint = 16000")
        except BaseException:
            self.close()
            raise

    def execute(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with self._turn, _failing_clearly():
            return self._connection.execute(sql, values).fetchall()

    def execute_many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run one statement for each of `rows`, all or none."""
        with self.transaction(), _failing_clearly():
            self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes in the context or, if it ends with an error, none; so within another one."""
        with self._turn:
            name = f"level_{self._depth}"
            self.execute(f"SAVEPOINT {name}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                self.execute(f"RELEASE {name}" if self._depth > 1 else "COMMIT")
            except BaseException:
                self._undo(name)
                raise
            finally:
                self._depth -= 1

    def close(self) -> None:
        """Close the file; so does the end of the last one who knows it."""
        self._close()

    def _undo(self, name: str) -> None:
        # Some errors, such as a full disk, have ended the transaction already.
        if self._connection.in_transaction:
            if self._depth > 1:
                self.execute(f"ROLLBACK TO {name}")
                self.execute(f"RELEASE {name}")
            else:
                self.execute("ROLLBACK")


@contextmanager
def _failing_clearly() -> Iterator[None]:
    """Turn the library's errors into ours; what a caller's own rows raise passes unchanged."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RetryLater(f"the database file: {error}") from None
    except sqlite3.DatabaseError as error:
        if type(error) is sqlite3.DatabaseError:
            raise Fatal(f"the database file: {error}") from None
        raise
