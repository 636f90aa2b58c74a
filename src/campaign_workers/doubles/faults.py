"""What goes wrong: faults by order, by share, or by a header of the request."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock
from typing import Final, Self

import attrs

from campaign_workers.domain.errors import BadInput
from campaign_workers.doubles.documents import SERVICES


class Kind(StrEnum):
    """Ways to fail. The first four strike before a request is carried out, the others after."""

    LATENCY = "latency"
    TOO_MANY = "too-many"
    ERROR = "error"
    RESET = "reset"
    ANSWER_LOST = "answer-lost"
    GARBAGE = "garbage"
    DRIP = "drip"


_USUAL: Final = {Kind.LATENCY: 0.05, Kind.TOO_MANY: 1.0, Kind.ERROR: 503.0, Kind.DRIP: 0.05}


@attrs.frozen
class Fault:
    """One fault; `value` is seconds of latency, of `Retry-After` or between drops, or a status."""

    kind: Kind
    value: float = attrs.field()

    @value.default
    def _usual(self) -> float:
        return _USUAL.get(self.kind, 0.0)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `kind` or `kind=value`, such as `error=502`.

        Raises:
            BadInput: it is not of that form.
        """
        name, given, value = text.strip().partition("=")
        try:
            kind = Kind(name)
            fault = cls(kind, float(value)) if given else cls(kind)
        except ValueError:
            raise BadInput(
                "no such fault", field="fault", remedy=f"use {', '.join(Kind)}, or kind=number"
            ) from None
        if not 0 <= fault.value < 600 or (kind is Kind.ERROR and fault.value < 400):
            raise BadInput("out of range", field="fault")
        return fault


@attrs.frozen(kw_only=True)
class _Shares:
    shares: Mapping[Fault, float]
    services: Collection[str]
    seed: str = attrs.field(repr=False)
    in_a_row: int | None


@attrs.define
class _Order:
    fault: Fault
    services: Collection[str]
    times: float


@attrs.define
class Switchboard:
    """Which request is struck by which fault; may be used from any thread."""

    struck: Counter[tuple[str, Kind]] = attrs.field(factory=Counter, init=False)
    """How often which service failed in which way."""
    _orders: list[_Order] = attrs.field(factory=list, init=False)
    _shares: _Shares | None = attrs.field(default=None, init=False)
    _tries: Counter[bytes] = attrs.field(factory=Counter, init=False)
    _rows: Counter[str] = attrs.field(factory=Counter, init=False)
    _turn: Lock = attrs.field(factory=Lock, init=False, repr=False)

    def order(self, fault: Fault, *, service: str | None = None, times: float = 1) -> None:
        """Let the fault strike the next requests, of one service or of any.

        Raises:
            BadInput: there is no such service.
        """
        with self._turn:
            self._orders.append(_Order(fault, _only(service), times))

    def share(
        self,
        shares: Mapping[Fault, float],
        *,
        services: Collection[str] | None = None,
        seed: str = "",
        in_a_row: int | None = None,
    ) -> None:
        """Let a share of all requests fail, the same ones in every run with the same seed.

        With `in_a_row` no call, told from others by its correlation id, is struck more often than
        that before a try of it is let through.

        Raises:
            BadInput: the shares are no shares, or there is no such service.
        """
        if not (all(share >= 0 for share in shares.values()) and sum(shares.values()) <= 1):
            raise BadInput("not between 0 and 1 in all", field="shares")
        with self._turn:
            self._shares = _Shares(
                shares=shares, services=_known(services), seed=seed, in_a_row=in_a_row
            )
            self._tries.clear()
            self._rows.clear()

    def clear(self) -> None:
        """Let everything go well again."""
        with self._turn:
            self._orders.clear()
            self._shares = None

    def told(self) -> dict[str, dict[str, int]]:
        """How often which service failed in which way, ready for JSON."""
        counts: dict[str, dict[str, int]] = {}
        for (service, kind), times in sorted(self.struck.items()):
            counts.setdefault(service, {})[str(kind)] = times
        return counts

    @contextmanager
    def outage(self, service: str | None = None) -> Iterator[None]:
        """Let a service, or all of them, be down as long as the context lasts."""
        order = _Order(Fault(Kind.ERROR), _only(service), float("inf"))
        with self._turn:
            self._orders.insert(0, order)
        try:
            yield
        finally:
            with self._turn:
                self._orders.remove(order)

    def next(self, service: str, request: bytes, call: str) -> Fault | None:
        """What strikes a try of `call`; `request` is what it asks for, the same in every run."""
        with self._turn:
            fault = self._ordered(service) or self._drawn(service, request, call)
            if fault:
                self.struck[service, fault.kind] += 1
            return fault

    def _ordered(self, service: str) -> Fault | None:
        order = next((order for order in self._orders if service in order.services), None)
        if order is None:
            return None
        order.times -= 1
        if order.times <= 0:
            self._orders.remove(order)
        return order.fault

    def _drawn(self, service: str, request: bytes, call: str) -> Fault | None:
        shares = self._shares
        if shares is None or service not in shares.services:
            return None
        name = hashlib.sha256(f"{shares.seed}:{service}:".encode() + request).digest()
        self._tries[name] += 1
        fault = _drawn(shares.shares, name + str(self._tries[name]).encode())
        if fault is None or self._rows[call] == shares.in_a_row:
            self._rows.pop(call, None)
            return None
        self._rows[call] += 1
        return fault


def _only(service: str | None) -> Collection[str]:
    return _known(None if service is None else [service])


def _known(services: Collection[str] | None) -> Collection[str]:
    """The services that are named, or all. One that is not there would never fail, unnoticed.

    Raises:
        BadInput: there is no such service.
    """
    if services is None:
        return SERVICES
    if not set(SERVICES).issuperset(services):
        raise BadInput("no such service", field="service", remedy=f"use {', '.join(SERVICES)}")
    return services


def _drawn(shares: Mapping[Fault, float], name: bytes) -> Fault | None:
    number = int.from_bytes(hashlib.sha256(name).digest()[:7]) / 2**56
    for fault, share in shares.items():
        number -= share
        if number < 0:
            return fault
    return None
