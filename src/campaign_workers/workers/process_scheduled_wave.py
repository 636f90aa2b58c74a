"""processScheduledWave: assign the codes of a wave file to its fans."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

import attrs

from campaign_workers.domain.codes import Assignment, AssignmentOutcome, is_external
from campaign_workers.domain.csv.rows import Row, Table, read_table
from campaign_workers.domain.errors import BadInput, RejectRecord
from campaign_workers.domain.running.events import required_raw_text
from campaign_workers.domain.running.reports import Report, Tally
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import validate_key_id
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.files import (
    REQUIRED_COLUMNS,
    Registrant,
    build_errors_file,
    rows_with_reason,
)
from campaign_workers.ports.code_service import CodeService
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.worker_library.iteration import batches
from campaign_workers.worker_library.objects import load, update_object

WORKER: Final = "processScheduledWave"


@attrs.frozen(kw_only=True)
class AssignCodesRequest:
    """The wave file whose codes are to be assigned."""

    file_key: str
    wave: str

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Parse `{fileKey}`.

        Raises:
            BadInput: the key is missing, or not the key of a wave file.
        """
        key = required_raw_text(payload, "fileKey")
        try:
            return cls(file_key=key, wave=layout.parse_wave_file_key(key))
        except BadInput as error:
            raise BadInput(error.problem, field="fileKey", remedy=error.remedy) from None


@attrs.frozen(kw_only=True)
class ProcessScheduledWave:
    """Assign each external code of a wave file to the fan of its row."""

    scoring: ObjectStore
    codes: CodeService
    batch_size: int = 2500

    parse = staticmethod(AssignCodesRequest.parse)

    def __call__(self, request: AssignCodesRequest) -> Report:
        """Assign in batches; in = valid + ignored, valid = updated + alreadyAssigned + refused.

        Raises:
            NotFound: there is no such wave file.
            BadInput: the file is not a valid wave file, or its campaign is unknown.
            Conflict: the file was replaced meanwhile; the request may be repeated.
            RetryLater: the service or the store fails; the request may be repeated.
        """
        version = self.scoring.head(request.file_key).etag
        campaign_id = self._campaign_id(request.wave)
        assignments = _Assignments()
        with self.scoring.open(request.file_key, etag=version) as source:
            table = _read_table(source, request.file_key)
            for batch in batches(assignments.of_rows(table.rows), self.batch_size):
                lines, requested = zip(*batch, strict=True)
                results = self.codes.assign(campaign_id, requested)
                for line, result in zip(lines, results, strict=True):
                    assignments.record(line, result.outcome, result.reason)
        self._save_refused(request, version, table.columns, assignments.reasons)
        return assignments.tally.report({"campaignId": campaign_id, "fileKey": request.file_key})

    def _campaign_id(self, wave: str) -> str:
        keys = [layout.wave_config_key(wave, state) for state in layout.WaveState]
        for key in (*keys, layout.generating_config_key(wave)):
            if (config := load(self.scoring, key, WaveConfig.parse)) is not None:
                return config.campaign_id
        try:
            return validate_key_id(wave.rpartition("_")[0], "campaign id")
        except BadInput:
            raise BadInput(
                "the wave has no config, and its file name has no campaign id",
                file=layout.wave_file_key(wave),
                remedy="upload the config, or name the file {campaignId}_{anything}.csv",
            ) from None

    def _save_refused(
        self,
        request: AssignCodesRequest,
        version: str,
        columns: tuple[str, ...],
        reasons: Mapping[int, str],
    ) -> None:
        def refused_rows() -> Iterator[dict[str, str]]:
            if not reasons:
                return
            with self.scoring.open(request.file_key, etag=version) as source:
                yield from rows_with_reason(_read_table(source, request.file_key).rows, reasons)

        update_object(
            self.scoring,
            layout.wave_errors_key(request.wave),
            lambda existing: build_errors_file(existing, WORKER, columns, refused_rows()),
        )


def _read_table(source: Any, key: str) -> Table:
    return read_table(source, file=key, required=REQUIRED_COLUMNS)


@attrs.frozen
class _Assignments:
    """Requests the assignment of each row's code; `reasons` has the refusals by line."""

    tally: Tally = attrs.field(factory=lambda: Tally(WORKER))
    reasons: dict[int, str] = attrs.field(factory=dict)
    _holders: dict[str, tuple[str, str]] = attrs.field(factory=dict, repr=False)

    def of_rows(self, rows: Iterator[Row]) -> Iterator[tuple[int, Assignment]]:
        """Yield the assignments to request, by line."""
        for row in rows:
            self.tally.add("in")
            if (assignment := self._assignment(row)) is not None:
                yield row.line, assignment

    def record(self, line: int, outcome: AssignmentOutcome, reason: str) -> None:
        """Record the outcome of a valid row."""
        self.tally.add(outcome)
        if outcome is AssignmentOutcome.REFUSED:
            self.reasons[line] = reason

    def _assignment(self, row: Row) -> Assignment | None:
        code = row.cells.get("code", "").strip()
        if not is_external(code):
            self.tally.add("ignored")
            return None
        self.tally.add("valid")
        try:
            registrant = Registrant.parse(row.cells, row.line)
            self._check_holder(registrant)
        except RejectRecord as error:
            self.record(row.line, AssignmentOutcome.REFUSED, error.reason)
            return None
        return Assignment(
            global_user_id=registrant.global_user_id,
            code=code,
            market_id=registrant.market_id or None,
        )

    def _check_holder(self, registrant: Registrant) -> None:
        # The service need not process the assignments of one call in order.
        unit = registrant.global_user_id, registrant.market_id
        if self._holders.setdefault(registrant.code, unit) != unit:
            raise RejectRecord("an earlier row assigns this code to another fan", field="code")
