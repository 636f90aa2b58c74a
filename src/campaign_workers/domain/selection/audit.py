"""Recompute a selection from its published files and say in words what differs."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.lottery import commitment
from campaign_workers.domain.selection.candidates import parse_candidates
from campaign_workers.domain.selection.fingerprints import FORMAT, fingerprint
from campaign_workers.domain.selection.options import MarketQuota, SelectionOptions, quota_table
from campaign_workers.domain.selection.selection import PICK_TYPES, Selection, select_fans

OPTION_NAMES: Final = {
    "campaignId": "campaign_id",
    "singleMarket": "single_market",
    "orderByPreference": "order_by_preference",
    "randomSelection": "random_selection",
    "reassign": "reassign",
    "minScore": "min_score",
    "maxScore": "max_score",
    "excludeIntlPhone": "exclude_intl_phone",
}

REDRAWN: Final = ("mechanism", "eligible", "picks", "cutoffs")
"""What a second draw with the seed proves."""

SEEDLESS: Final = ("mechanism", "eligible")
"""What a draw with any seed gives."""

COUNTED: Final = ("market_id", "limit", "taken", "filled")
"""What of a cutoff follows from the quotas and the picks alone."""

_COMMITMENT: Final = re.compile("[0-9a-f]{64}")


def verify_audit(
    audit: Mapping[str, Any],
    candidates: pl.DataFrame,
    quotas: Sequence[MarketQuota],
    picks: pl.DataFrame,
    seed: str | None = None,
) -> list[str]:
    """What in these files is not as the audit states it, in words; empty if all of it holds.

    Candidates, quotas and picks are compared by their fingerprints. With the seed, published
    after the draw, its commitment is checked and the draw is made again; without it nobody can
    tell whether the picks are the right ones, only whether they are the published ones and the
    audit counts them right. The empty seed is as none: a draw that was made with it is made
    again, any other cannot be.
    """
    seed = seed or None
    if audit.get("format") != FORMAT:
        return [f"format: this version reads audits of format {FORMAT} only"]
    try:
        options = _options(audit, seed)
        stated = _stated(candidates, quotas, picks, options)
        redrawn = select_fans(candidates, quotas, options)
    except BadInput as fault:
        return [f"unreadable: {fault}"]
    return [
        *(f"{part}: {fault}" for part in stated for fault in _differing(audit, part, stated[part])),
        *_commitment_faults(audit, seed),
        *(
            _redrawn_faults(audit, redrawn, stated["picks"])
            if can_redraw(audit, seed)
            else _seedless_faults(audit, redrawn, picks)
        ),
    ]


def _options(audit: Mapping[str, Any], seed: str | None) -> SelectionOptions:
    stated = audit.get("options")
    if not isinstance(stated, Mapping) or stated.keys() != OPTION_NAMES.keys():
        raise BadInput("not the options of a selection", file="audit", field="options")
    values = {OPTION_NAMES[name]: value for name, value in stated.items()}
    return SelectionOptions(**values, seed=seed or "")


def _stated(
    candidates: pl.DataFrame,
    quotas: Sequence[MarketQuota],
    picks: pl.DataFrame,
    options: SelectionOptions,
) -> dict[str, dict[str, Any]]:
    return {
        "candidates": fingerprint(parse_candidates(candidates, options), by="global_user_id"),
        "quotas": fingerprint(quota_table(quotas), by="market_id"),
        "picks": fingerprint(_checked_picks(picks), by="market_id"),
    }


def _checked_picks(picks: pl.DataFrame) -> pl.DataFrame:
    for missing in [name for name in PICK_TYPES if name not in picks.columns]:
        raise BadInput("column is missing", file="picks", field=missing)
    try:
        return picks.select(pl.col(name).cast(dtype) for name, dtype in PICK_TYPES.items())
    except pl.exceptions.PolarsError:
        raise BadInput("a value is of another type", file="picks") from None


def _differing(audit: Mapping[str, Any], part: str, found: Mapping[str, Any]) -> list[str]:
    stated = audit.get(part)
    if not isinstance(stated, Mapping):
        return ["the audit does not state it"]
    words = {
        "columns": "other columns than the audit states",
        "rows": "another number of rows than the audit states",
        "sha256": "the content is not what the audit states",
    }
    return [word for name, word in words.items() if stated.get(name) != found[name]]


def can_redraw(audit: Mapping[str, Any], seed: str | None) -> bool:
    """Whether the draw can be made again: with a seed, or where it was made with the empty one."""
    return seed is not None or audit.get("seedCommitment") == commitment("")


def _commitment_faults(audit: Mapping[str, Any], seed: str | None) -> list[str]:
    stated = audit.get("seedCommitment")
    if seed is None:
        is_one = isinstance(stated, str) and _COMMITMENT.fullmatch(stated)
        return [] if is_one else ["seed: the audit states no commitment"]
    if stated == commitment(seed):
        return []
    return ["seed: it is not the one that was committed to"]


def _seedless_faults(audit: Mapping[str, Any], drawn: Selection, picks: pl.DataFrame) -> list[str]:
    """What is wrong whatever the seed is; `drawn` is a draw with another one."""
    faults = [
        f"{part}: not what follows from options and candidates"
        for part in SEEDLESS
        if audit.get(part) != drawn.audit[part]
    ]
    if _counted(audit.get("cutoffs")) != _counts(drawn.cutoffs, picks):
        faults.append("cutoffs: limits and counts are not those of quotas and picks")
    return faults


def _counted(cutoffs: Any) -> list[dict[str, Any]] | None:
    if not isinstance(cutoffs, list) or not all(isinstance(row, Mapping) for row in cutoffs):
        return None
    return [{name: row.get(name) for name in COUNTED} for row in cutoffs]


def _counts(markets: pl.DataFrame, picks: pl.DataFrame) -> list[dict[str, Any]]:
    taken = Counter(picks["market_id"])
    return [
        {
            "market_id": market,
            "limit": limit,
            "taken": taken[market],
            "filled": taken[market] == limit,
        }
        for market, limit in markets.select("market_id", "limit").iter_rows()
    ]


def _redrawn_faults(
    audit: Mapping[str, Any], redrawn: Selection, picks: Mapping[str, Any]
) -> list[str]:
    faults = [
        f"{part}: the draw made again gives something else than the audit states"
        for part in REDRAWN
        if audit.get(part) != redrawn.audit[part]
    ]
    if picks != redrawn.audit["picks"]:
        faults.append("picks: the draw made again picks otherwise")
    return faults
