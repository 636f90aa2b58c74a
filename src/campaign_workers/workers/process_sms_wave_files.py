"""processSmsWaveFiles: select the fans of a wave, give them codes and write the files to send.

A status object is the lock between runs and stores the answer. The result depends only on the
input and on the codes reserved under the id of the request, so a run that died is simply repeated:
it gets the same codes again and writes the same archive.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from campaign_workers.domain import lottery
from campaign_workers.domain.codes import Reservation
from campaign_workers.domain.csv.rows import read_rows
from campaign_workers.domain.errors import CampaignError, Conflict
from campaign_workers.domain.preparation.request import (
    MARKET_DETAILS_COLUMNS,
    WaveMarket,
    WavePrepRequest,
    first_expiry,
    market_results,
    parse_market_details,
    quotas,
    require_markets,
)
from campaign_workers.domain.preparation.status import (
    LEASE,
    WavePrepState,
    WavePrepStatus,
    next_attempt,
)
from campaign_workers.domain.preparation.wave_files import (
    WaveFiles,
    build_wave_files,
    candidate_table,
)
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.selection.selection import Selection, select_fans
from campaign_workers.domain.storage import layout
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.code_service import CodeService
from campaign_workers.ports.entry_service import EligibleQuery, EntryService
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.system import Clock, Secrets
from campaign_workers.ports.zip_writer import ZipWriter
from campaign_workers.worker_library.objects import load_version, put_if_unchanged

WORKER: Final = "processSmsWaveFiles"
ARCHIVE_DATE: Final = datetime(1980, 1, 1, tzinfo=UTC)
"""The date of every file in the archive, fixed so that equal content gives equal bytes."""


@attrs.frozen(kw_only=True)
class ProcessSmsWaveFiles:
    """Prepare a wave: reserve codes, select fans, write the archive."""

    scoring: ObjectStore
    campaigns: CampaignService
    codes: CodeService
    entries: EntryService
    secrets: Secrets
    zips: ZipWriter
    clock: Clock
    lease: timedelta = LEASE

    parse = staticmethod(WavePrepRequest.parse)

    def __call__(self, request: WavePrepRequest) -> Report:
        """Prepare the wave of `{campaignId, dateKey, ..}`; repeat the answer if it is finished.

        Counts are fans: `in` are the candidates, `out` the selected ones, `rejected` the others.

        Raises:
            BadInput: the market details or the candidates are invalid.
            NotFound: the campaign, the market details or the lottery seed does not exist.
            Conflict: another run holds the lease, or two attempts have failed.
            RetryLater: a service or the bucket fails; the status is FAILED.
        """
        key = layout.wave_prep_status_key(request.campaign_id, request.date_key)
        current = load_version(self.scoring, key, WavePrepStatus.parse)
        before = None if current is None else current.value
        if before is not None and before.state is WavePrepState.FINISHED:
            return _report(before.result or {})
        status = next_attempt(
            before, request.to_json(), now=self.clock.now(), lease=self.lease, file=key
        )
        my_etag = self._save(key, status, None if current is None else current.etag)
        try:
            result = self._prepare(request, key, my_etag)
        except Exception as error:
            # A run that took over has written its own status, which takes precedence.
            with contextlib.suppress(CampaignError):
                self._save(key, status.as_failed(_reason(error)), my_etag)
            raise
        self._save(key, status.as_finished(result), my_etag)
        return _report(result)

    def _save(self, key: str, status: WavePrepStatus, etag: str | None) -> str:
        """Save the status by compare-and-swap and return its new ETag.

        Raises:
            Conflict: another run has written the status meanwhile.
        """
        return put_if_unchanged(self.scoring, key, status.to_bytes(), etag).etag

    def _prepare(self, request: WavePrepRequest, status_key: str, my_etag: str) -> dict[str, Any]:
        markets = self._markets(request)
        reserved = self._reserve(request, markets)
        seed = self.secrets.read(lottery.seed_secret_name(request.campaign_id))
        candidates = candidate_table(self.entries.eligible(_query(request, markets)))
        selection = select_fans(candidates, quotas(markets, reserved), request.options(seed))
        codes = {market: reservation.codes for market, reservation in reserved.items()}
        files = build_wave_files(selection.picks, candidates, markets, codes, selection.audit)
        target = layout.prepped_key(request.campaign_id, request.date_key)
        content = self.zips.stream(files.members(), modified=ARCHIVE_DATE)
        archive = self.scoring.put(target, self._unless_taken_over(content, status_key, my_etag))
        self._release_unused(reserved, files)
        return {
            **request.to_json(),
            "key": archive.key,
            "size": archive.size,
            "markets": market_results(markets, selection.cutoffs),
            "reservationExpires": first_expiry(reserved),
            "files": _file_rows(files),
            "count": _counts(len(candidates), selection),
        }

    def _markets(self, request: WavePrepRequest) -> tuple[WaveMarket, ...]:
        known = self.campaigns.markets(request.campaign_id)
        file = layout.market_details_key(request.campaign_id, request.date_key)
        with closing(self.scoring.open(file)) as source:
            rows = read_rows(source, file=file, required=MARKET_DETAILS_COLUMNS)
            markets = parse_market_details(rows, known, file=file)
        require_markets(markets, file)
        return markets

    def _reserve(
        self, request: WavePrepRequest, markets: Iterable[WaveMarket]
    ) -> dict[str, Reservation]:
        return {
            market.market_id: self.codes.reserve(
                request.campaign_id,
                market.market_id,
                market.limit,
                reserve_id=request.reserve_id(market.market_id),
            )
            for market in markets
            if market.is_external
        }

    def _unless_taken_over(
        self, content: Iterable[bytes], status_key: str, my_etag: str
    ) -> Iterator[bytes]:
        """Yield the archive, then fail if another run took the lease, which aborts the upload."""
        yield from content
        if self.scoring.head(status_key).etag != my_etag:
            raise Conflict(f"{status_key}: the lease expired and another run took over")

    def _release_unused(self, reserved: Mapping[str, Reservation], files: WaveFiles) -> None:
        for market_id, reservation in reserved.items():
            used = files.codes_of(market_id)
            if spare := [code for code in reservation.codes if code not in used]:
                self.codes.release(reservation.reserve_id, spare)


def _query(request: WavePrepRequest, markets: Iterable[WaveMarket]) -> EligibleQuery:
    return EligibleQuery(
        campaign_id=request.campaign_id,
        market_ids=tuple(sorted(market.market_id for market in markets)),
        min_score=request.bounds["minScore"],
        max_score=request.bounds["maxScore"],
        reassign=request.flags["reassign"],
    )


def _file_rows(files: WaveFiles) -> dict[str, int]:
    return {
        "masterCodes": len(files.registrants),
        "smsSELECTED": len(files.text_recipients()),
        "emails/TM": len(files.tm_emails()),
        "emails/NON_TM": len(files.external_emails()),
    }


def _counts(candidates: int, selection: Selection) -> dict[str, int]:
    selected = selection.picks["global_user_id"].n_unique()
    return {
        "in": candidates,
        "out": selected,
        "rejected": candidates - selected,
        "duplicates": 0,
    }


def _report(result: Mapping[str, Any]) -> Report:
    details = {name: value for name, value in result.items() if name != "count"}
    return Report(worker=WORKER, counts=dict(result.get("count", {})), details=details)


def _reason(error: Exception) -> str:
    """Return the reason for the status: our own messages, but only the type of other errors."""
    kind = type(error).__name__
    return f"{kind}: {error}" if isinstance(error, CampaignError) else kind
