"""generateSmsWaveCodes: the registrants of a wave get offer codes, then the wave is scheduled."""

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
from campaign_workers.domain.waves.errors import Opener, errors_file, refused, rows_taken_out
from campaign_workers.domain.waves.notifications import REQUIRED_COLUMNS, Registrant
from campaign_workers.domain.waves.offer_codes import needs_code, offer_code_key, sha256, with_codes
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
        """Read `{waveFilePrefix, config}`.

        Raises:
            BadInput: the prefix cannot name a file, or the config is wrong; names the field.
        """
        wave = validate_file_name(required_raw_text(payload, "waveFilePrefix"), "waveFilePrefix")
        given = WaveConfig.read(payload.get("config") or {}, file="config")
        # Read again, because a date that was given and one that was filled in may not fit.
        config = WaveConfig.read(given.with_code_dates().wire(), file="config")
        return cls(wave=wave, config=config)


@attrs.frozen(kw_only=True)
class GenerateSmsWaveCodes:
    """Make the codes that a wave lacks, then put its config where the scheduler looks.

    A row that got its code keeps it: the service gives the same code for the same registrant, and
    the wave file is written once all codes are there. Rows without one are in the errors file
    before they leave the wave file.
    """

    scoring: ObjectStore
    offer_codes: OfferCodes
    concurrency: int = 20

    parse = staticmethod(GenerateCodesRequest.parse)

    def __call__(self, request: GenerateCodesRequest) -> Report:
        """Make codes if the config asks for it, and schedule; in = out + errors, in rows.

        Raises:
            NotFound: there is no such wave file, and codes are wanted.
            BadInput: it is no wave file.
            Conflict: it was written anew meanwhile; the request may be repeated.
            RetryLater: the service or the store fails; the request may be repeated.
        """
        wave, config = request.wave, request.config
        wanted = config.generate_offer_code
        counts = self._generated(wave, config) if wanted else self._counted(wave)
        self.scoring.delete([layout.generating_config_key(wave)])
        scheduled = attrs.evolve(config, generate_offer_code=False)
        self.scoring.put(layout.wave_config_key(wave, WaveState.SCHEDULED), scheduled.json())
        details = {"waveFilePrefix": wave, "generateOfferCode": wanted}
        return Report(worker=WORKER, counts=counts, details=details)

    def _counted(self, wave: str) -> dict[str, int]:
        try:
            with self._opened(wave) as table:
                rows = sum(1 for _ in table.rows)
        except NotFound:
            rows = 0
        return {"in": rows, "out": rows, "errors": 0}

    def _generated(self, wave: str, config: WaveConfig) -> dict[str, int]:
        self.scoring.put(layout.generating_config_key(wave), config.json())
        version = self.scoring.head(layout.wave_file_key(wave)).etag
        making = _Making()
        with self._opened(wave, version) as table:
            columns = table.columns
            asyncio.run(self._make(making, wave, config, making.counted(table.rows)))
        if making.is_idle:
            return self._settled(wave, making, columns)

        def rewritten() -> Iterator[bytes]:
            with self._opened(wave, version) as table:
                yield from with_codes(columns, table.rows, making.codes, making.reasons)

        def left_out() -> Iterator[dict[str, str]]:
            with self._opened(wave, version) as table:
                yield from refused(table.rows, making.reasons)

        source = sha256(rewritten())
        update_object(
            self.scoring,
            layout.wave_errors_key(wave),
            lambda existing: errors_file(existing, WORKER, columns, left_out(), source=source),
        )
        self.scoring.put(layout.wave_file_key(wave), rewritten(), if_match=version)
        return making.counts

    def _settled(self, wave: str, making: "_Making", columns: tuple[str, ...]) -> dict[str, int]:
        """Nothing is left to make: an earlier run did it, or every row came with a code.

        What that run took out of this very file still counts; errors of another file are gone.
        """
        source = self.scoring.checksum(layout.wave_file_key(wave))
        taken_out = 0

        def change(existing: Opener | None) -> Iterable[bytes] | None:
            nonlocal taken_out
            taken_out = sum(1 for _ in rows_taken_out(existing, WORKER, source))
            still = rows_taken_out(existing, WORKER, source)
            return errors_file(existing, WORKER, columns, still, source=source)

        update_object(self.scoring, layout.wave_errors_key(wave), change)
        return {"in": making.rows + taken_out, "out": making.rows, "errors": taken_out}

    async def _make(
        self, making: "_Making", wave: str, config: WaveConfig, rows: Iterator[Row]
    ) -> None:
        async def lane() -> None:
            # All lanes draw from one iterator, so that none waits for another's row.
            for row in rows:
                try:
                    making.codes[row.line] = await self._code(wave, config, row)
                except RejectRecord as why:
                    making.reasons[row.line] = why.reason

        await asyncio.gather(*(lane() for _ in range(self.concurrency)))

    async def _code(self, wave: str, config: WaveConfig, row: Row) -> str:
        registrant = Registrant.read(row.cells, row.line)
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
        except PermanentFailure as why:
            raise RejectRecord(f"no code was made: {why}", field="code") from None
        if not is_external(code):
            raise RejectRecord("no code was made: the answer has none", field="code")
        return code

    @contextmanager
    def _opened(self, wave: str, version: str | None = None) -> Iterator[Table]:
        key = layout.wave_file_key(wave)
        with self.scoring.open(key, etag=version) as source:
            yield read_table(source, file=key, required=REQUIRED_COLUMNS)


@attrs.define
class _Making:
    """Codes that were made and reasons why some were not, by line."""

    codes: dict[int, str] = attrs.field(factory=dict, repr=False)
    reasons: dict[int, str] = attrs.field(factory=dict)
    rows: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether every row had its code already."""
        return not self.codes and not self.reasons

    @property
    def counts(self) -> dict[str, int]:
        """The books: in = out + errors."""
        errors = len(self.reasons)
        return {"in": self.rows, "out": self.rows - errors, "errors": errors}

    def counted(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows that need a code; all of them are counted as they pass."""
        for row in rows:
            self.rows += 1
            if needs_code(row):
                yield row
