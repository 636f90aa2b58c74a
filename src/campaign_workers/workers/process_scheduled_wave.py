"""processScheduledWave: the codes in a wave file belong to its fans from now on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

import attrs

from campaign_workers.domain.codes import Assignment, AssignmentOutcome, is_external
from campaign_workers.domain.csv.rows import Row, Table, read_table
from campaign_workers.domain.errors import BadInput, NotFound, RejectRecord
from campaign_workers.domain.running.events import required_raw_text
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import validate_key_id
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.errors import errors_file, refused
from campaign_workers.domain.waves.notifications import REQUIRED_COLUMNS, Registrant
from campaign_workers.ports.code_service import CodeService
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.worker_library.objects import update_object

WORKER: Final = "processScheduledWave"
COUNTS: Final = ("in", "valid", "ignored", "updated", "alreadyAssigned", "refused")


@attrs.frozen(kw_only=True)
class AssignCodesRequest:
    """The wave file whose codes are to be assigned."""

    file_key: str
    wave: str

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Read `{fileKey}`.

        Raises:
            BadInput: it is missing, or not the key of a wave file.
        """
        key = required_raw_text(payload, "fileKey")
        try:
            return cls(file_key=key, wave=layout.parse_wave_file_key(key))
        except BadInput as why:
            raise BadInput(why.problem, field="fileKey", remedy=why.remedy) from None


@attrs.frozen(kw_only=True)
class ProcessScheduledWave:
    """Assign every external code of a wave file to the fan beside it."""

    scoring: ObjectStore
    codes: CodeService
    batch_size: int = 2500

    parse = staticmethod(AssignCodesRequest.parse)

    def __call__(self, request: AssignCodesRequest) -> Report:
        """Assign in batches; in = valid + ignored, valid = updated + alreadyAssigned + refused.

        Raises:
            NotFound: there is no such wave file.
            BadInput: it is no wave file, or nothing tells its campaign.
            Conflict: it was written anew meanwhile; the request may be repeated.
            RetryLater: the service or the store fails; the request may be repeated.
        """
        version = self.scoring.head(request.file_key).etag
        campaign_id = self._campaign_id(request.wave)
        books = _Books()
        with self.scoring.open(request.file_key, etag=version) as source:
            table = _table(source, request.file_key)
            for batch in books.batches(table.rows, self.batch_size):
                results = self.codes.assign(campaign_id, list(batch.values()))
                for line, result in zip(batch, results, strict=True):
                    books.settle(line, result.outcome, result.reason)
        self._keep_refused(request, version, table.columns, books.reasons)
        counts = {name: books.counts[name] for name in COUNTS}
        details = {"campaignId": campaign_id, "fileKey": request.file_key}
        return Report(worker=WORKER, counts=counts, details=details)

    def _campaign_id(self, wave: str) -> str:
        places = [layout.wave_config_key(wave, state) for state in layout.WaveState]
        for key in (*places, layout.generating_config_key(wave)):
            try:
                with self.scoring.open(key) as source:
                    return WaveConfig.read(source.read(), file=key).campaign_id
            except NotFound:
                continue
        try:
            return validate_key_id(wave.rpartition("_")[0], "campaign id")
        except BadInput:
            raise BadInput(
                "nothing tells the campaign of this wave",
                file=layout.wave_file_key(wave),
                remedy="upload its config, or call the file {campaignId}_{anything}.csv",
            ) from None

    def _keep_refused(
        self,
        request: AssignCodesRequest,
        version: str,
        columns: tuple[str, ...],
        reasons: Mapping[int, str],
    ) -> None:
        def rows() -> Iterator[dict[str, str]]:
            if not reasons:
                return
            with self.scoring.open(request.file_key, etag=version) as source:
                yield from refused(_table(source, request.file_key).rows, reasons)

        update_object(
            self.scoring,
            layout.wave_errors_key(request.wave),
            lambda existing: errors_file(existing, WORKER, columns, rows()),
        )


def _table(source: Any, key: str) -> Table:
    return read_table(source, file=key, required=REQUIRED_COLUMNS)


@attrs.frozen
class _Books:
    """What becomes of each row; `reasons` are those of the refused ones, by line."""

    counts: Counter[str] = attrs.field(factory=Counter)
    reasons: dict[int, str] = attrs.field(factory=dict)
    _holders: dict[str, tuple[str, str]] = attrs.field(factory=dict, repr=False)

    def batches(self, rows: Iterator[Row], size: int) -> Iterator[dict[int, Assignment]]:
        """The assignments to ask for, by line, `size` at once."""
        batch: dict[int, Assignment] = {}
        for row in rows:
            self.counts["in"] += 1
            if (assignment := self._assignment(row)) is not None:
                batch[row.line] = assignment
            if len(batch) == size:
                yield batch
                batch = {}
        if batch:
            yield batch

    def settle(self, line: int, outcome: AssignmentOutcome, reason: str) -> None:
        """Enter the outcome of a valid row."""
        self.counts[outcome] += 1
        if outcome is AssignmentOutcome.REFUSED:
            self.reasons[line] = reason

    def _assignment(self, row: Row) -> Assignment | None:
        code = row.cells.get("code", "").strip()
        if not is_external(code):
            self.counts["ignored"] += 1
            return None
        self.counts["valid"] += 1
        try:
            registrant = Registrant.read(row.cells, row.line)
            self._check_holder(registrant)
        except RejectRecord as why:
            self.settle(row.line, AssignmentOutcome.REFUSED, why.reason)
            return None
        return Assignment(
            global_user_id=registrant.global_user_id,
            code=code,
            market_id=registrant.market_id or None,
        )

    def _check_holder(self, registrant: Registrant) -> None:
        # Whether a service judges the rows of one call one after the other is its own business.
        unit = registrant.global_user_id, registrant.market_id
        if self._holders.setdefault(registrant.code, unit) != unit:
            raise RejectRecord("the file has this code further up for somebody else", field="code")
