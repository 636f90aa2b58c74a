"""Codes, reservations and holders as rows of tables."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs

from campaign_workers.adapters.inprocess.keys import key_of, prefix_of
from campaign_workers.adapters.inprocess.tables import Tables
from campaign_workers.domain.codes import Code


class CodeRows:
    """The pools of all campaigns: codes in code order, and which campaign has a code."""

    def __init__(self, tables: Tables) -> None:
        self._homes = tables("codes.campaigns")
        self._codes = tables("codes")
        self._reservations = tables("codes.reservations")
        self._holders = tables("codes.holders")

    def of(self, campaign_id: str) -> Iterator[Code]:
        """The codes of a campaign's pool, in code order."""
        return (_code(row) for _, row in self._codes.scan(prefix_of(campaign_id)))

    def find(self, codes: Collection[str]) -> dict[str, Code]:
        """Those of these codes that some pool has."""
        homes = self._homes.get_many(codes)
        keys = [key_of(row["campaign"], code) for code, row in homes.items()]
        return {row["code"]: _code(row) for row in self._codes.get_many(keys).values()}

    def write(self, codes: Iterable[Code]) -> None:
        """Write codes; those that no pool had join that of their campaign."""
        written = list(codes)
        self._homes.put_many((code.code, {"campaign": code.campaign_id}) for code in written)
        self._codes.put_many((key_of(code.campaign_id, code.code), _row(code)) for code in written)

    def reserved_under(self, *reservation: str) -> list[str]:
        """What a reservation (its id, campaign and market) had when it was last written."""
        row = self._reservations.get(key_of(*reservation))
        return list(row["codes"]) if row else []

    def reserve(self, codes: Collection[str], *reservation: str) -> None:
        """Note what a reservation has."""
        self._reservations.put(key_of(*reservation), {"codes": sorted(codes)})

    def held(self, campaign_id: str, fans: Iterable[str]) -> dict[str, dict[str, str]]:
        """Codes by market, by fan, of every one of these fans."""
        keys = {key_of(campaign_id, fan): fan for fan in fans}
        rows = self._holders.get_many(keys)
        return {fan: rows.get(key, {}) for key, fan in keys.items()}

    def hold(self, campaign_id: str, held: Mapping[str, Mapping[str, str]]) -> None:
        """Write what fans have."""
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
