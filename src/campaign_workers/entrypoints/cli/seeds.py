"""`seed`: a lottery seed, and the commitment to publish before registration opens."""

import secrets
import sys
from typing import Annotated

from cyclopts import App, Parameter

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.lottery import commitment
from campaign_workers.entrypoints.cli.results import Result, lines

app = App(name="seed", help="Lottery seeds and their commitments.")

SEED_BYTES = 32


@app.command
def new() -> Result:
    """Make a seed of 256 random bits; keep it secret until after the draw."""
    seed = secrets.token_hex(SEED_BYTES)
    return lines(seed, data={"seed": seed, "commitment": commitment(seed)})


@app.command
def commit(seed: Annotated[str, Parameter(allow_leading_hyphen=True)] = "-", /) -> Result:
    """The commitment to a seed: its SHA-256, to publish before registration opens.

    Parameters
    ----------
    seed
        The seed; `-` reads it from standard input, where no shell history keeps it.
    """
    text = sys.stdin.readline().strip() if seed == "-" else seed
    if not text:
        raise BadInput("the seed is empty", field="seed")
    try:
        committed = commitment(text)
    except UnicodeEncodeError:
        raise BadInput("not UTF-8", field="seed") from None
    return lines(committed, data={"commitment": committed})
