"""processSmsWaveFiles: who is in the wave, with which code, as one archive.

A status object makes runs exclude each other and lets an answer be given twice. All that a run
makes follows from its input and the codes reserved under its own name, so that a run that died
half-way is simply run again: it gets its codes again, and writes the same archive.
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
from campaign_workers.domain.errors import CampaignError, Conflict, NotFound
from campaign_workers.domain.preparation.files import WaveFiles, candidate_table, wave_files
from campaign_workers.domain.preparation.market_details import (
    REQUIRED_COLUMNS,
    WaveMarket,
    read_market_details,
)
from campaign_workers.domain.preparation.request import (
    WavePrepRequest,
    first_expiry,
    market_results,
    quotas,
    refuse_no_market,
)
from campaign_workers.domain.preparation.status import LEASE, State, WavePrepStatus, triggered
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.selection.selection import Selection, select_fans
from campaign_workers.domain.storage import layout
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.code_service import CodeService
from campaign_workers.ports.entry_service import EligibleQuery, EntryService
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.system import Clock, Secrets
from campaign_workers.ports.zip_writer import ZipWriter

WORKER: Final = "processSmsWaveFiles"
ARCHIVED: Final = datetime(1980, 1, 1, tzinfo=UTC)
"""The date of every file in the archive: equal content has to give equal bytes."""


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
        """Prepare the wave of `{campaignId, dateKey, ..}`; once finished, answer the same again.

        Counts are fans: in the candidates, out the selected ones, rejected the others.

        Raises:
            BadInput: the market details or the candidates are wrong.
            NotFound: there is no such campaign, no market details, or no lottery seed.
            Conflict: another run is at it, or two attempts have failed.
            RetryLater: a service or the bucket fails; the status says FAILED.
        """
        key = layout.wave_prep_status_key(request.campaign_id, request.date_key)
        before, version = self._status(key)
        if before is not None and before.state is State.FINISHED:
            return _report(before.result or {})
        status = triggered(before, request.wire(), now=self.clock.now(), lease=self.lease, file=key)
        mine = self._write(key, status, version)
        try:
            result = self._prepare(request, key, mine)
        except Exception as why:
            # Whoever took over meanwhile has a status of their own; theirs counts.
            with contextlib.suppress(CampaignError):
                self._write(key, status.failed(_reason(why)), mine)
            raise
        self._write(key, status.finished(result), mine)
        return _report(result)

    def _status(self, key: str) -> tuple[WavePrepStatus | None, str | None]:
        try:
            version = self.scoring.head(key).etag
            with closing(self.scoring.open(key, etag=version)) as source:
                return WavePrepStatus.parse(source.read(), file=key), version
        except NotFound:
            return None, None

    def _write(self, key: str, status: WavePrepStatus, version: str | None) -> str:
        """Write the status over the `version` that was read, or where none was.

        Raises:
            Conflict: somebody else wrote it meanwhile.
        """
        if version is None:
            return self.scoring.put(key, status.json(), if_absent=True).etag
        return self.scoring.put(key, status.json(), if_match=version).etag

    def _prepare(self, request: WavePrepRequest, status_key: str, mine: str) -> dict[str, Any]:
        markets = self._markets(request)
        reserved = self._reserve(request, markets)
        seed = self.secrets.read(lottery.seed_secret_name(request.campaign_id))
        candidates = candidate_table(self.entries.eligible(_query(request, markets)))
        selection = select_fans(candidates, quotas(markets, reserved), request.options(seed))
        codes = {market: reservation.codes for market, reservation in reserved.items()}
        files = wave_files(selection.picks, candidates, markets, codes, selection.audit)
        target = layout.prepped_key(request.campaign_id, request.date_key)
        content = self.zips.stream(files.members(), modified=ARCHIVED)
        archive = self.scoring.put(target, self._unless_taken_over(content, status_key, mine))
        self._release_unused(reserved, files)
        return {
            **request.wire(),
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
            rows = read_rows(source, file=file, required=REQUIRED_COLUMNS)
            markets = read_market_details(rows, known, file=file)
        refuse_no_market(markets, file)
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
        self, content: Iterable[bytes], status_key: str, mine: str
    ) -> Iterator[bytes]:
        """The archive, which is not whole before we know that it still is ours to write."""
        yield from content
        if self.scoring.head(status_key).etag != mine:
            raise Conflict(f"{status_key}: another run took over when the lease ran out")

    def _release_unused(self, reserved: Mapping[str, Reservation], files: WaveFiles) -> None:
        for market_id, reservation in reserved.items():
            used = files.used(market_id)
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
        "smsSELECTED": len(files.texted()),
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


def _reason(why: Exception) -> str:
    """What the status says of a failure: our own words, or only the kind of an unforeseen one."""
    kind = type(why).__name__
    return f"{kind}: {why}" if isinstance(why, CampaignError) else kind
