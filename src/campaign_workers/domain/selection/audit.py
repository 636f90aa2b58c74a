"""Recompute a selection from its published files and report what differs."""

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
"""Parts of the audit that a draw with the seed verifies."""

SEEDLESS: Final = ("mechanism", "eligible")
"""Parts of the audit that do not depend on the seed."""

COUNTED: Final = ("market_id", "limit", "taken", "filled")
"""Parts of a cut-off that follow from the quotas and the picks alone."""

_COMMITMENT: Final = re.compile("[0-9a-f]{64}")


def verify_audit(
    audit: Mapping[str, Any],
    candidates: pl.DataFrame,
    quotas: Sequence[MarketQuota],
    picks: pl.DataFrame,
    seed: str | None = None,
) -> list[str]:
    """Return what in these files differs from the audit, in words; empty if nothing does.

    Candidates, quotas and picks are compared by their fingerprints. With the seed, which is
    published after the draw, its commitment is verified and the draw is repeated. Without the
    seed, only the published picks and the audit's counts can be verified. The empty seed counts
    as no seed, except for a draw that was made with it, which is repeated.

    Args:
        audit: the audit, parsed from its JSON.
        candidates: the candidates as for `select_fans`.
        quotas: the quotas of the run.
        picks: the published picks.
        seed: the campaign's secret, if it is published.

    Raises: nothing; files that cannot be read are reported.

    Example:
        >>> from campaign_workers.domain.selection import MarketQuota
        >>> fans = pl.DataFrame(
        ...     {"global_user_id": ["g1"], "score": [0.9], "market_ids": [["nyc"]]}
        ... )
        >>> quotas = [MarketQuota("nyc", 1)]
        >>> selection = select_fans(fans, quotas, SelectionOptions(seed="s"))
        >>> verify_audit(selection.audit, fans, quotas, selection.picks, seed="s")
        []
    """
    seed = seed or None
    if audit.get("format") != FORMAT:
        return [f"format: this version reads audits of format {FORMAT} only"]
    try:
        options = _options(audit, seed)
        actual = _fingerprints(candidates, quotas, picks, options)
        redrawn = select_fans(candidates, quotas, options)
    except BadInput as error:
        return [f"unreadable: {error}"]
    return [
        *(
            f"{part}: {fault}"
            for part in actual
            for fault in _differences(audit, part, actual[part])
        ),
        *_commitment_faults(audit, seed),
        *(
            _redrawn_faults(audit, redrawn, actual["picks"])
            if can_redraw(audit, seed)
            else _seedless_faults(audit, redrawn, picks)
        ),
    ]


def _options(audit: Mapping[str, Any], seed: str | None) -> SelectionOptions:
    stated = audit.get("options")
    if not isinstance(stated, Mapping) or stated.keys() != OPTION_NAMES.keys():
        raise BadInput("expected the options of a selection", file="audit", field="options")
    values = {OPTION_NAMES[name]: value for name, value in stated.items()}
    return SelectionOptions(**values, seed=seed or "")


def _fingerprints(
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
        raise BadInput("expected other types of values", file="picks") from None


def _differences(audit: Mapping[str, Any], part: str, actual: Mapping[str, Any]) -> list[str]:
    stated = audit.get(part)
    if not isinstance(stated, Mapping):
        return ["missing in the audit"]
    words = {
        "columns": "the columns differ from the audit",
        "rows": "the number of rows differs from the audit",
        "sha256": "the content differs from the audit",
    }
    return [word for name, word in words.items() if stated.get(name) != actual[name]]


def can_redraw(audit: Mapping[str, Any], seed: str | None) -> bool:
    """Return whether the draw can be repeated: with a seed, or if its seed was empty."""
    return seed is not None or audit.get("seedCommitment") == commitment("")


def _commitment_faults(audit: Mapping[str, Any], seed: str | None) -> list[str]:
    stated = audit.get("seedCommitment")
    if seed is None:
        is_commitment = isinstance(stated, str) and _COMMITMENT.fullmatch(stated)
        return [] if is_commitment else ["seed: the audit has no commitment"]
    if stated == commitment(seed):
        return []
    return ["seed: does not match the commitment"]


def _seedless_faults(audit: Mapping[str, Any], drawn: Selection, picks: pl.DataFrame) -> list[str]:
    """Return the faults that do not depend on the seed; `drawn` used another seed."""
    faults = [
        f"{part}: differs from what options and candidates give"
        for part in SEEDLESS
        if audit.get(part) != drawn.audit[part]
    ]
    if _stated_counts(audit.get("cutoffs")) != _actual_counts(drawn.cutoffs, picks):
        faults.append("cutoffs: limits and counts differ from quotas and picks")
    return faults


def _stated_counts(cutoffs: Any) -> list[dict[str, Any]] | None:
    if not isinstance(cutoffs, list) or not all(isinstance(row, Mapping) for row in cutoffs):
        return None
    return [{name: row.get(name) for name in COUNTED} for row in cutoffs]


def _actual_counts(markets: pl.DataFrame, picks: pl.DataFrame) -> list[dict[str, Any]]:
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
        f"{part}: the repeated draw gives another result"
        for part in REDRAWN
        if audit.get(part) != redrawn.audit[part]
    ]
    if picks != redrawn.audit["picks"]:
        faults.append("picks: the repeated draw has other picks")
    return faults
