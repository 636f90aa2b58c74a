"""generateSmsWaveCodes: generate offer codes for a wave's registrants, then schedule the wave."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self

import attrs

from campaign_workers.domain.codes import is_external
from campaign_workers.domain.csv.rows import Row, Table, read_table
from campaign_workers.domain.errors import NotFound, PermanentFailure, RejectRecord
from campaign_workers.domain.running.events import required_raw_text
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import WaveState, validate_file_name
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.files import (
    REQUIRED_COLUMNS,
    Opener,
    Registrant,
    build_errors_file,
    needs_code,
    offer_code_key,
    removed_rows,
    rows_with_reason,
    sha256,
    with_codes,
)
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.offer_codes import OfferCodeRequest, OfferCodes
from campaign_workers.worker_library.objects import update_object

WORKER: Final = "generateSmsWaveCodes"


@attrs.frozen(kw_only=True)
class GenerateCodesRequest:
    """A wave to schedule; its config has the dates of its codes."""

    wave: str
    config: WaveConfig

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> Self:
        """Parse `{waveFilePrefix, config}`.

        Raises:
            BadInput: the prefix is not a file name, or the config is invalid; names the field.
        """
        wave = validate_file_name(required_raw_text(payload, "waveFilePrefix"), "waveFilePrefix")
        given = WaveConfig.parse(payload.get("config") or {}, file="config")
        # Parse it again, because a given date and a default date may be in the wrong order.
        config = WaveConfig.parse(given.with_code_dates().to_json(), file="config")
        return cls(wave=wave, config=config)


@attrs.frozen(kw_only=True)
class GenerateSmsWaveCodes:
    """Generate the missing codes of a wave, then write its config to `scheduled/`.

    A row keeps its code: the service returns the same code for the same registrant, and the wave
    file is written once all codes are known. Rows without a code are written to the errors file
    before they are removed from the wave file.
    """

    scoring: ObjectStore
    offer_codes: OfferCodes
    concurrency: int = 20

    parse = staticmethod(GenerateCodesRequest.parse)

    def __call__(self, request: GenerateCodesRequest) -> Report:
        """Generate codes if the config asks for it, and schedule; in = out + errors, in rows.

        Raises:
            NotFound: codes are wanted, and there is no such wave file.
            BadInput: the file is not a valid wave file.
            Conflict: the file was replaced meanwhile; the request may be repeated.
            RetryLater: the service or the store fails; the request may be repeated.
        """
        wave, config = request.wave, request.config
        is_wanted = config.generate_offer_code
        counts = self._generate(wave, config) if is_wanted else self._count_rows(wave)
        self.scoring.delete([layout.generating_config_key(wave)])
        scheduled = attrs.evolve(config, generate_offer_code=False)
        self.scoring.put(layout.wave_config_key(wave, WaveState.SCHEDULED), scheduled.to_bytes())
        details = {"waveFilePrefix": wave, "generateOfferCode": is_wanted}
        return Report(worker=WORKER, counts=counts, details=details)

    def _count_rows(self, wave: str) -> dict[str, int]:
        try:
            with self._open(wave) as table:
                rows = sum(1 for _ in table.rows)
        except NotFound:
            rows = 0
        return {"in": rows, "out": rows, "errors": 0}

    def _generate(self, wave: str, config: WaveConfig) -> dict[str, int]:
        self.scoring.put(layout.generating_config_key(wave), config.to_bytes())
        version = self.scoring.head(layout.wave_file_key(wave)).etag
        generation = _Generation()
        with self._open(wave, version) as table:
            columns = table.columns
            rows = generation.rows_without_code(table.rows)
            asyncio.run(self._create_codes(generation, wave, config, rows))
        if generation.is_empty:
            return self._finish_without_new_codes(wave, generation, columns)

        def new_file() -> Iterator[bytes]:
            with self._open(wave, version) as table:
                yield from with_codes(columns, table.rows, generation.codes, generation.reasons)

        def error_rows() -> Iterator[dict[str, str]]:
            with self._open(wave, version) as table:
                yield from rows_with_reason(table.rows, generation.reasons)

        source = sha256(new_file())
        update_object(
            self.scoring,
            layout.wave_errors_key(wave),
            lambda existing: build_errors_file(
                existing, WORKER, columns, error_rows(), source=source
            ),
        )
        self.scoring.put(layout.wave_file_key(wave), new_file(), if_match=version)
        return generation.counts

    def _finish_without_new_codes(
        self, wave: str, generation: "_Generation", columns: tuple[str, ...]
    ) -> dict[str, int]:
        """Count a wave whose rows all have codes, from the upload or from an earlier run.

        Rows that an earlier run removed from this very file still count as errors; error rows of
        another version of the file are dropped.
        """
        source = self.scoring.checksum(layout.wave_file_key(wave))
        removed = 0

        def change(existing: Opener | None) -> Iterable[bytes] | None:
            nonlocal removed
            removed = sum(1 for _ in removed_rows(existing, WORKER, source))
            kept = removed_rows(existing, WORKER, source)
            return build_errors_file(existing, WORKER, columns, kept, source=source)

        update_object(self.scoring, layout.wave_errors_key(wave), change)
        return {"in": generation.rows + removed, "out": generation.rows, "errors": removed}

    async def _create_codes(
        self, generation: "_Generation", wave: str, config: WaveConfig, rows: Iterator[Row]
    ) -> None:
        async def worker() -> None:
            # All workers draw from one iterator, so none of them waits for another's row.
            for row in rows:
                try:
                    generation.codes[row.line] = await self._create_code(wave, config, row)
                except RejectRecord as error:
                    generation.reasons[row.line] = error.reason

        await asyncio.gather(*(worker() for _ in range(self.concurrency)))

    async def _create_code(self, wave: str, config: WaveConfig, row: Row) -> str:
        registrant = Registrant.parse(row.cells, row.line)
        assert config.begin_date
        assert config.end_date
        request = OfferCodeRequest(
            idempotency_key=offer_code_key(wave, config, registrant),
            global_user_id=registrant.global_user_id,
            product_id=config.product_id,
            source=config.source,
            begin=config.begin_date,
            end=config.end_date,
        )
        try:
            code = (await self.offer_codes.create(request)).strip()
        except PermanentFailure as error:
            raise RejectRecord(f"no code was created: {error}", field="code") from None
        if not is_external(code):
            raise RejectRecord("no code was created: the response has none", field="code")
        return code

    @contextmanager
    def _open(self, wave: str, version: str | None = None) -> Iterator[Table]:
        key = layout.wave_file_key(wave)
        with self.scoring.open(key, etag=version) as source:
            yield read_table(source, file=key, required=REQUIRED_COLUMNS)


@attrs.define
class _Generation:
    """The new codes, and the reasons for rows without one, by line."""

    codes: dict[int, str] = attrs.field(factory=dict, repr=False)
    reasons: dict[int, str] = attrs.field(factory=dict)
    rows: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether every row had a code already."""
        return not self.codes and not self.reasons

    @property
    def counts(self) -> dict[str, int]:
        """The counts of the run: in = out + errors."""
        errors = len(self.reasons)
        return {"in": self.rows, "out": self.rows - errors, "errors": errors}

    def rows_without_code(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield the rows that need a code, and count all rows."""
        for row in rows:
            self.rows += 1
            if needs_code(row):
                yield row
