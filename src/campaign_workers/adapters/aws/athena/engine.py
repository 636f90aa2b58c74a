"""Merging by query: Athena reads copies of the sources as one table and returns CSV.

Nothing of a source is believed twice: how many records it has is told by its own blocks, and the
query must give as many, or nothing is written.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any, BinaryIO, Final
from uuid import uuid4

import attrs

from campaign_workers.adapters.aws.athena.columns import Columns
from campaign_workers.adapters.aws.athena.queries import Query
from campaign_workers.adapters.aws.athena.scratch import Scratch
from campaign_workers.adapters.aws.concurrency import map_concurrent
from campaign_workers.domain.errors import BadInput, CampaignError, NotFound, RetryLater
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.query_engine import Merge
from campaign_workers.ports.record_codec import RecordCodec
from campaign_workers.ports.system import Clock

LEFT_BEHIND_AFTER: Final = timedelta(hours=1)
"""No merge takes that long: what is older was left by one that was killed."""
COPIES_AT_ONCE: Final = 16

_log: Final = logging.getLogger(__name__)


@attrs.frozen
class AthenaQueryEngine:
    """Serves `QueryEngine` for the files of `lake`, which is `bucket`; `codec` is theirs."""

    athena: Any = attrs.field(repr=False)
    glue: Any = attrs.field(repr=False)
    lake: ObjectStore
    clock: Clock
    s3: Any = attrs.field(kw_only=True, repr=False)
    bucket: str = attrs.field(kw_only=True)
    workgroup: str = attrs.field(kw_only=True)
    database: str = attrs.field(kw_only=True)
    codec: RecordCodec = attrs.field(kw_only=True)
    patience_seconds: float = attrs.field(default=600, kw_only=True)

    @contextmanager
    def merge(
        self, record_type: str, sources: Sequence[str], metadata: Mapping[str, str]
    ) -> Iterator[Merge]:
        """See `QueryEngine.merge`.

        Raises:
            Fatal: access or the database is missing, or Athena refuses the query.
        """
        merge = _AthenaMerge(
            engine=self, record_type=record_type, sources=tuple(sources), notes=metadata
        )
        try:
            yield merge
        except BaseException:
            merge.clear_quietly()
            raise
        merge.clear()

    def scratch(self, run: str) -> Scratch:
        """Room for one merge."""
        return Scratch(
            lake=self.lake,
            bucket=self.bucket,
            glue=self.glue,
            s3=self.s3,
            database=self.database,
            run=run,
        )

    def query(self, scratch: Scratch) -> Query:
        """A query whose result goes there."""
        return Query(
            athena=self.athena,
            clock=self.clock,
            workgroup=self.workgroup,
            database=self.database,
            output=scratch.results,
            start_id=scratch.run,
            patience_seconds=self.patience_seconds,
        )


@attrs.frozen(kw_only=True)
class _AthenaMerge:
    engine: AthenaQueryEngine
    record_type: str
    sources: tuple[str, ...]
    notes: Mapping[str, str]
    counted: dict[str, int] = attrs.field(factory=dict)
    used: list[Scratch] = attrs.field(factory=list)

    def chunks(self) -> Iterator[bytes]:
        return self.engine.codec.stream(self.record_type, self._rows(), self.notes)

    def counts(self) -> Mapping[str, int]:
        return dict(self.counted)

    def clear(self) -> None:
        for scratch in self.used:
            scratch.clear()

    def clear_quietly(self) -> None:
        """Clear up after an error, which is not to be hidden by another."""
        try:
            self.clear()
        except CampaignError as why:
            _log.warning("%s", why)

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        scratch = self.engine.scratch(uuid4().hex)
        self.used.append(scratch)
        scratch.remove_leftovers(self.engine.clock.now() - LEFT_BEHIND_AFTER)
        expected = self._copied(scratch)
        schema = self.engine.codec.schema(self.record_type)
        columns = Columns.of(schema)
        scratch.create_table(columns, schema)
        given = 0
        with closing(self._result(scratch, columns.select(scratch.table))) as result:
            for row in read_result(result, columns):
                given += 1
                yield row
        if given != expected:
            raise RetryLater(f"the query gave {given} of {expected} records")

    def _copied(self, scratch: Scratch) -> int:
        """Copy the sources to where the query finds them; returns how many records they have."""

        def take(numbered: tuple[int, str]) -> tuple[str, int]:
            number, key = numbered
            records = self._records(key)
            scratch.copy(key, number)
            return key, records

        total = 0
        for key, records in map_concurrent(take, enumerate(self.sources), at_once=COPIES_AT_ONCE):
            self.counted[key] = records
            total += records
        return total

    def _records(self, key: str) -> int:
        """How many records a source has.

        Raises:
            BadInput: it is no container of this type, or its schema is not in the history.
        """
        with closing(self.engine.lake.open(key)) as source:
            try:
                found = self.engine.codec.describe(source)
            except BadInput as why:
                raise why.within(key) from None
        if found.record_type != self.record_type:
            raise BadInput("records of another type", file=key)
        if found.version is None:
            raise BadInput(
                "its schema is not in the history",
                file=key,
                remedy="add it, or take the file away",
            )
        return found.records

    def _result(self, scratch: Scratch, sql: str) -> BinaryIO:
        query = self.engine.query(scratch)
        try:
            query.run(sql)
        finally:
            if query.result:
                store, key = scratch.note_result(query.result)
        try:
            return store.open(key)
        except NotFound:
            raise RetryLater(f"the result of the query is not there: {query.result}") from None


def read_result(result: BinaryIO, columns: Columns) -> Iterator[Mapping[str, Any]]:
    """The records of a result.

    Raises:
        RetryLater: it is cut short, or none of such a query.
    """
    for number, line in enumerate(result, 1):
        try:
            row = _row(line, columns, is_head=number == 1)
        except (ValueError, LookupError, TypeError) as why:
            raise RetryLater(
                f"the result of the query cannot be read, line {number} ({type(why).__name__})"
            ) from None
        if row is not None:
            yield row


def _row(line: bytes, columns: Columns, *, is_head: bool) -> Mapping[str, Any] | None:
    if not line.endswith(b"\n"):
        raise ValueError("cut short")
    text = line[:-1].decode()
    if not is_head:
        return columns.row(text)
    if text != columns.head:
        raise ValueError("other columns")
    return None
