"""The `QueryEngine` port on Athena: query copies of the sources as one table, read CSV back.

The number of records is counted in the blocks of the sources. The query must return exactly as
many, otherwise nothing is written.
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

LEFTOVER_AGE: Final = timedelta(hours=1)
"""No merge takes this long, so older scratch data was left by a merge that was killed."""
CONCURRENT_COPIES: Final = 16

_log: Final = logging.getLogger(__name__)


@attrs.frozen
class AthenaQueryEngine:
    """Serves `QueryEngine` for the files of `lake`, the bucket `bucket`, encoded with `codec`."""

    athena: Any = attrs.field(repr=False)
    glue: Any = attrs.field(repr=False)
    lake: ObjectStore
    clock: Clock
    s3: Any = attrs.field(kw_only=True, repr=False)
    bucket: str = attrs.field(kw_only=True)
    workgroup: str = attrs.field(kw_only=True)
    database: str = attrs.field(kw_only=True)
    codec: RecordCodec = attrs.field(kw_only=True)
    timeout_seconds: float = attrs.field(default=600, kw_only=True)

    @contextmanager
    def merge(
        self, record_type: str, sources: Sequence[str], metadata: Mapping[str, str]
    ) -> Iterator[Merge]:
        """See `QueryEngine.merge`.

        Raises:
            Fatal: access or the database is missing, or Athena refuses the query.
        """
        merge = _AthenaMerge(
            engine=self, record_type=record_type, sources=tuple(sources), metadata=metadata
        )
        try:
            yield merge
        except BaseException:
            merge.clear_quietly()
            raise
        merge.clear()

    def scratch(self, run: str) -> Scratch:
        """Return the scratch space of one merge."""
        return Scratch(
            lake=self.lake,
            bucket=self.bucket,
            glue=self.glue,
            s3=self.s3,
            database=self.database,
            run=run,
        )

    def query(self, scratch: Scratch) -> Query:
        """Return a query that writes its result into `scratch`."""
        return Query(
            athena=self.athena,
            clock=self.clock,
            workgroup=self.workgroup,
            database=self.database,
            output=scratch.results,
            start_id=scratch.run,
            timeout_seconds=self.timeout_seconds,
        )


@attrs.frozen(kw_only=True)
class _AthenaMerge:
    engine: AthenaQueryEngine
    record_type: str
    sources: tuple[str, ...]
    metadata: Mapping[str, str]
    counts_by_source: dict[str, int] = attrs.field(factory=dict)
    scratches: list[Scratch] = attrs.field(factory=list)

    def chunks(self) -> Iterator[bytes]:
        return self.engine.codec.stream(self.record_type, self._rows(), self.metadata)

    def counts(self) -> Mapping[str, int]:
        return dict(self.counts_by_source)

    def clear(self) -> None:
        for scratch in self.scratches:
            scratch.clear()

    def clear_quietly(self) -> None:
        """Clean up after an error, logging further errors so that they do not hide the first."""
        try:
            self.clear()
        except CampaignError as why:
            _log.warning("%s", why)

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        scratch = self.engine.scratch(uuid4().hex)
        self.scratches.append(scratch)
        scratch.remove_leftovers(self.engine.clock.now() - LEFTOVER_AGE)
        expected = self._copy_sources(scratch)
        schema = self.engine.codec.schema(self.record_type)
        columns = Columns.from_schema(schema)
        scratch.create_table(columns, schema)
        returned = 0
        with closing(self._result(scratch, columns.select(scratch.table))) as result:
            for row in read_result(result, columns):
                returned += 1
                yield row
        if returned != expected:
            raise RetryLater(f"the query returned {returned} of {expected} records; retry")

    def _copy_sources(self, scratch: Scratch) -> int:
        """Copy the sources into the table's folder and return how many records they have."""

        def copy(numbered: tuple[int, str]) -> tuple[str, int]:
            number, key = numbered
            records = self._count_records(key)
            scratch.copy(key, number)
            return key, records

        total = 0
        sources = enumerate(self.sources)
        for key, records in map_concurrent(copy, sources, max_workers=CONCURRENT_COPIES):
            self.counts_by_source[key] = records
            total += records
        return total

    def _count_records(self, key: str) -> int:
        """Return how many records a source has.

        Raises:
            BadInput: it is not an Avro file of this type, or its schema is not in the history.
        """
        with closing(self.engine.lake.open(key)) as source:
            try:
                info = self.engine.codec.describe(source)
            except BadInput as why:
                raise why.within(key) from None
        if info.record_type != self.record_type:
            raise BadInput("records of another type", file=key)
        if info.version is None:
            raise BadInput(
                "its schema is not in the history",
                file=key,
                remedy="add the schema, or remove the file",
            )
        return info.records

    def _result(self, scratch: Scratch, sql: str) -> BinaryIO:
        query = self.engine.query(scratch)
        try:
            query.run(sql)
        finally:
            if query.result:
                store, key = scratch.register_result(query.result)
        try:
            return store.open(key)
        except NotFound:
            raise RetryLater(f"{query.result}: the result of the query is missing; retry") from None


def read_result(result: BinaryIO, columns: Columns) -> Iterator[Mapping[str, Any]]:
    """Yield the records of a query's CSV result.

    Raises:
        RetryLater: the result is truncated or malformed.
    """
    for number, line in enumerate(result, 1):
        try:
            row = _parse_line(line, columns, is_header=number == 1)
        except (ValueError, LookupError, TypeError) as why:
            raise RetryLater(
                f"line {number} of the query's result is malformed ({type(why).__name__}); retry"
            ) from None
        if row is not None:
            yield row


def _parse_line(line: bytes, columns: Columns, *, is_header: bool) -> Mapping[str, Any] | None:
    if not line.endswith(b"\n"):
        raise ValueError("truncated")
    text = line[:-1].decode()
    if not is_header:
        return columns.parse_row(text)
    if text != columns.header:
        raise ValueError("other columns")
    return None
