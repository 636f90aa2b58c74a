"""`select` and `verify-audit`, a selection on files; `seed`, its lottery seed."""

import secrets
import sys
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.lottery import commitment
from campaign_workers.domain.selection.audit import can_redraw
from campaign_workers.domain.selection.audit import verify_audit as differences
from campaign_workers.domain.selection.options import SelectionOptions
from campaign_workers.domain.selection.selection import select_fans
from campaign_workers.entrypoints.cli.files import read_document, write_selection
from campaign_workers.entrypoints.cli.results import Result, lines
from campaign_workers.entrypoints.cli.selection_files import (
    locate_error,
    read_candidates,
    read_picks,
    read_quotas,
)

NOT_REDRAWN: Final = (
    "without the seed, only the fingerprints were compared;"
    " give the published seed as --seed to repeat the draw"
)


def _flag(name: str) -> Parameter:
    return Parameter(name=name, negative="")


def select(
    *,
    candidates: Path,
    quotas: Path,
    out: Path,
    seed: str = "",
    campaign_id: str = "",
    random: Annotated[bool, _flag("--random")] = False,
    order_by_preference: Annotated[bool, _flag("--order-by-preference")] = False,
    multi_market: Annotated[bool, _flag("--multi-market")] = False,
    reassign: Annotated[bool, _flag("--reassign")] = False,
    exclude_intl_phone: Annotated[bool, _flag("--exclude-intl-phone")] = False,
    min_score: float | None = None,
    max_score: float | None = None,
) -> Result:
    """Select fans for markets; writes picks.csv, cutoffs.csv and audit.json.

    Parameters
    ----------
    candidates
        CSV, Parquet or Avro file with globalUserId, score and marketIds, such as a scrubbed file.
    quotas
        File with marketId and limit, such as a market details file.
    out
        Folder to write to.
    seed
        Lottery seed of the campaign; it breaks ties and defines the random order.
    campaign_id
        Campaign of the lottery; rows of other campaigns are ignored.
    random
        Order fans by lottery number instead of score.
    order_by_preference
        All first choices before second choices. Fans can gain by hiding their first choice.
    multi_market
        Fill each market independently; a fan may be selected for several.
    reassign
        Include fans who were selected before.
    exclude_intl_phone
        Exclude fans whose phone number is not North American.
    min_score
        Exclude raw scores below this.
    max_score
        Exclude raw scores above this.
    """
    options = SelectionOptions(
        campaign_id=campaign_id,
        single_market=not multi_market,
        order_by_preference=order_by_preference,
        random_selection=random,
        reassign=reassign,
        min_score=min_score,
        max_score=max_score,
        exclude_intl_phone=exclude_intl_phone,
        seed=seed,
    )
    frame, limits = read_candidates(candidates, campaign_id), read_quotas(quotas)
    try:
        selection = select_fans(frame, limits, options)
    except BadInput as error:
        raise locate_error(candidates, frame, error) from None
    files = write_selection(out, selection)
    cutoffs = selection.cutoffs.select("market_id", "limit", "taken", "filled")
    return Result(
        data={"picks": selection.picks.height, "cutoffs": cutoffs.to_dicts(), "files": files},
        title=f"{selection.picks.height:,} picks from {frame.height:,} candidates",
        columns=("market", "limit", "taken", "filled"),
        rows=tuple(cutoffs.iter_rows()),
        notes=(f"written to {out}",),
    )


def verify_audit(
    audit: Path, /, *, candidates: Path, quotas: Path, picks: Path, seed: str = ""
) -> Result:
    """Recompute a selection from its files; exit 1 and print the differences.

    Parameters
    ----------
    audit
        File audit.json of the selection.
    candidates
        File with the candidates of the selection.
    quotas
        File with its quotas.
    picks
        File with its picks.
    seed
        Lottery seed, once it is published.
    """
    document = read_document(audit)
    found = differences(
        document,
        read_candidates(candidates, _campaign_of(document)),
        read_quotas(quotas),
        read_picks(picks),
        seed,
    )
    redrawn = can_redraw(document, seed or None)
    limits = () if found or redrawn else (NOT_REDRAWN,)
    verdict = "the selection does not hold" if found else "the selection holds"
    return Result(
        data={"holds": not found, "redrawn": redrawn, "differences": list(found)},
        notes=(verdict, *found, *limits),
        failed=bool(found),
    )


def _campaign_of(audit: dict[str, Any]) -> str:
    """Return the campaign id of an audit, empty if it has none."""
    options = audit.get("options")
    named = options.get("campaignId") if isinstance(options, dict) else None
    return named if isinstance(named, str) else ""


seed_app = App(name="seed", help="Lottery seeds and their commitments.")

SEED_BYTES = 32


@seed_app.command
def new() -> Result:
    """Generate a seed of 256 random bits; keep it secret until after the draw."""
    seed = secrets.token_hex(SEED_BYTES)
    return lines(seed, data={"seed": seed, "commitment": commitment(seed)})


@seed_app.command
def commit(seed: Annotated[str, Parameter(allow_leading_hyphen=True)] = "-", /) -> Result:
    """Print the commitment to a seed: its SHA-256, to publish before registration opens.

    Parameters
    ----------
    seed
        The seed; `-` reads it from standard input, which keeps it out of the shell history.
    """
    text = sys.stdin.readline().strip() if seed == "-" else seed
    if not text:
        raise BadInput("the seed is empty", field="seed")
    try:
        committed = commitment(text)
    except UnicodeEncodeError:
        raise BadInput("not UTF-8", field="seed") from None
    return lines(committed, data={"commitment": committed})
