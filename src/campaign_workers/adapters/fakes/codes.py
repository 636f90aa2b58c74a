"""Fakes of the services that issue codes: the code service and Pacman."""

import base64
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count, islice
from typing import Any, Final

import attrs

from campaign_workers.adapters.fakes.faults import Faults, may_fail
from campaign_workers.adapters.fakes.tables import Tables, key_of, prefix_of
from campaign_workers.domain.codes import (
    NO_MARKET,
    RESERVATION_LIFE,
    Assignment,
    AssignmentOutcome,
    AssignmentResult,
    Code,
    Reservation,
    is_external,
    resolve_assignment,
)
from campaign_workers.domain.errors import PermanentFailure, RejectRecord
from campaign_workers.ports.offer_codes import OfferCodeRequest
from campaign_workers.ports.system import Clock

MAX_ASSIGNMENTS: Final = 2500
CODE_LENGTH: Final = 10


class CodeRows:
    """Rows of the codes of all campaigns, of their reservations and of their holders."""

    def __init__(self, tables: Tables) -> None:
        self._campaigns_of_codes = tables("codes.campaigns")
        self._codes = tables("codes")
        self._reservations = tables("codes.reservations")
        self._holders = tables("codes.holders")

    def pool(self, campaign_id: str) -> Iterator[Code]:
        """Yield the codes of a campaign's pool, in code order."""
        return (_code(row) for _, row in self._codes.scan(prefix_of(campaign_id)))

    def find(self, codes: Collection[str]) -> dict[str, Code]:
        """Return those of the codes that any pool contains."""
        found = self._campaigns_of_codes.get_many(codes)
        keys = [key_of(row["campaign"], code) for code, row in found.items()]
        return {row["code"]: _code(row) for row in self._codes.get_many(keys).values()}

    def write(self, codes: Iterable[Code]) -> None:
        """Write codes; new ones are added to the pool of their campaign."""
        written = list(codes)
        self._campaigns_of_codes.put_many(
            (code.code, {"campaign": code.campaign_id}) for code in written
        )
        self._codes.put_many((key_of(code.campaign_id, code.code), _row(code)) for code in written)

    def reserved_under(self, *reservation: str) -> list[str]:
        """Return the codes of a reservation, given by its id, campaign and market."""
        row = self._reservations.get(key_of(*reservation))
        return list(row["codes"]) if row else []

    def reserve(self, codes: Collection[str], *reservation: str) -> None:
        """Write the codes of a reservation."""
        self._reservations.put(key_of(*reservation), {"codes": sorted(codes)})

    def codes_of_fans(self, campaign_id: str, fans: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return the codes by market of each fan."""
        keys = {key_of(campaign_id, fan): fan for fan in fans}
        rows = self._holders.get_many(keys)
        return {fan: rows.get(key, {}) for key, fan in keys.items()}

    def write_codes_of_fans(self, campaign_id: str, held: Mapping[str, Mapping[str, str]]) -> None:
        """Write the codes by market of each fan."""
        self._holders.put_many((key_of(campaign_id, fan), codes) for fan, codes in held.items())


def _row(code: Code) -> dict[str, Any]:
    row = attrs.asdict(code, filter=lambda _, value: value is not None)
    if code.reserved_until is not None:
        row["reserved_until"] = code.reserved_until.isoformat()
    return row


def _code(row: Mapping[str, Any]) -> Code:
    until = row.get("reserved_until")
    return Code(
        **{**row, "reserved_until": None if until is None else datetime.fromisoformat(until)}
    )


class FakeCodeService:
    """Serves `CodeService`; codes are reserved in code order, so that a rerun reserves the same."""

    def __init__(self, tables: Tables, clock: Clock, *, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._clock = clock
        self._atomic = tables("codes").atomic
        self._rows = CodeRows(tables)

    def load(self, campaign_id: str, codes: Iterable[str]) -> int:
        """Add codes to a campaign's pool and return how many are new.

        Codes that any pool already contains do not change; `TM` and empty codes are ignored.
        """
        wanted = dict.fromkeys(filter(is_external, codes))
        with self._atomic():
            known = self._rows.find(wanted)
            new = [Code(code=code, campaign_id=campaign_id) for code in wanted if code not in known]
            self._rows.write(new)
        return len(new)

    @may_fail
    def reserve(
        self, campaign_id: str, market_id: str, count: int, *, reserve_id: str
    ) -> Reservation:
        """See `CodeService.reserve`.

        An expired reservation gets its codes again, unless they were taken meanwhile. A reservation
        that requests fewer codes than it has releases the rest.
        """
        now = self._clock.now()
        until = now + RESERVATION_LIFE
        reservation = (reserve_id, campaign_id, market_id)
        with self._atomic():
            own = self._own(*reservation)
            kept, spare = own[: max(count, 0)], own[max(count, 0) :]
            fresh = self._available(campaign_id, count - len(kept), own, now)
            taken = [
                code.with_reservation(reserve_id, market_id, until) for code in (*kept, *fresh)
            ]
            self._rows.write((*taken, *(code.without_reservation() for code in spare)))
            codes = sorted(code.code for code in taken)
            self._rows.reserve(codes, *reservation)
        return Reservation(reserve_id=reserve_id, codes=tuple(codes), expires=until)

    @may_fail
    def release(self, reserve_id: str, codes: Collection[str]) -> int:
        """See `CodeService.release`."""
        now = self._clock.now()
        with self._atomic():
            released = [
                code.without_reservation()
                for code in self._rows.find(codes).values()
                if code.reserve_id == reserve_id and code.is_reserved(now)
            ]
            self._rows.write(released)
        return len(released)

    @may_fail
    def assign(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """See `CodeService.assign`."""
        if len(assignments) > MAX_ASSIGNMENTS:
            raise RejectRecord(f"more than {MAX_ASSIGNMENTS} assignments")
        now = self._clock.now()
        with self._atomic():
            known = self._rows.find({a.code for a in assignments})
            held = self._rows.codes_of_fans(campaign_id, {a.global_user_id for a in assignments})
            changed: dict[str, Code] = {}
            results = []
            for assignment in assignments:
                fresh = Code(code=assignment.code, campaign_id=campaign_id)
                code = known.get(assignment.code, fresh)
                fan_codes = held[assignment.global_user_id]
                result = _resolve(campaign_id, assignment, code, fan_codes, now)
                if result.outcome is AssignmentOutcome.UPDATED:
                    changed[code.code] = known[code.code] = code.assigned_to(assignment)
                    fan_codes[assignment.market_id or NO_MARKET] = code.code
                results.append(result)
            self._rows.write(changed.values())
            self._rows.write_codes_of_fans(
                campaign_id, {fan: codes for fan, codes in held.items() if codes}
            )
        return tuple(results)

    @may_fail
    def available(self, campaign_id: str) -> int:
        """Return how many codes of the campaign are neither assigned nor reserved."""
        now = self._clock.now()
        return sum(code.is_available(now) for code in self._rows.pool(campaign_id))

    def _own(self, reserve_id: str, campaign_id: str, market_id: str) -> list[Code]:
        """Return the codes of a reservation that were not taken meanwhile, in code order."""
        had = self._rows.find(self._rows.reserved_under(reserve_id, campaign_id, market_id))
        own = (c for c in had.values() if (c.reserve_id, c.market_id) == (reserve_id, market_id))
        return sorted(own, key=lambda code: code.code)

    def _available(
        self, campaign_id: str, count: int, own: Collection[Code], now: datetime
    ) -> list[Code]:
        names = {code.code for code in own}
        free = (c for c in self._rows.pool(campaign_id) if c.is_available(now))
        return list(islice((c for c in free if c.code not in names), max(count, 0)))


def _resolve(
    campaign_id: str, assignment: Assignment, code: Code, held: Mapping[str, str], now: datetime
) -> AssignmentResult:
    refusals = (
        (not is_external(assignment.code), "the code is not an external code"),
        (code.campaign_id != campaign_id, "the code belongs to another campaign"),
    )
    for refused, reason in refusals:
        if refused:
            return AssignmentResult(outcome=AssignmentOutcome.REFUSED, reason=reason)
    return resolve_assignment(assignment, code, held, now)


def _refuse_none(_: OfferCodeRequest) -> bool:
    return False


class FakeOfferCodes:
    """Serves `OfferCodes`: codes are derived from the idempotency key, without collisions.

    `refuses` returns whether a request is refused for good. Requests whose validity ends before it
    begins are always refused.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        refuses: Callable[[OfferCodeRequest], bool] = _refuse_none,
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._refuses = refuses
        self._codes_by_key = tables("offerCodes.byKey")
        self._codes = tables("offerCodes")

    async def create(self, request: OfferCodeRequest) -> str:
        """See `OfferCodes.create`."""
        with self.faults.around("create"):
            if request.end <= request.begin:
                raise PermanentFailure("the validity ends before it begins")
            if self._refuses(request):
                raise PermanentFailure("the request is refused")
            return self._code(request.idempotency_key)

    def _code(self, key: str) -> str:
        with self._codes_by_key.atomic():
            if made := self._codes_by_key.get(key):
                return str(made["code"])
            code = next(c for c in _candidate_codes(key) if self._codes.insert(c, {"key": key}))
            self._codes_by_key.put(key, {"code": code})
            return code


def _candidate_codes(key: str) -> Iterator[str]:
    for attempt in count():
        digest = hashlib.sha256(f"{key}:{attempt}".encode()).digest()
        yield base64.b32encode(digest).decode()[:CODE_LENGTH]
