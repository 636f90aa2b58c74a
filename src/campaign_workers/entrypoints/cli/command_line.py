"""The command line: `campaign-workers`, the same as `python -m campaign_workers`."""

import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

from campaign_workers import __version__
from campaign_workers.domain.errors import BadInput, CampaignError

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130

app = App(
    name="campaign-workers",
    help="Verified-fan presale campaigns: scrub, score, select, code and notify fans.",
    version=__version__,
    suppress_keyboard_interrupt=False,
)
app.meta.suppress_keyboard_interrupt = False

_CLI = "campaign_workers.entrypoints.cli"

COMMANDS = (
    (
        "demo",
        "campaigns:demo",
        "Run a made-up campaign from registration to text message, and check its books.",
    ),
    (
        "campaign",
        "campaigns:campaign",
        "Run the whole campaign on a folder of uploads, and check its books.",
    ),
    (
        "generate",
        "campaigns:generate",
        "Make a folder of plausible uploads of one campaign, as dirty as uploads are.",
    ),
    ("report", "campaigns:report", "Build the HTML report of a campaign that ran in a folder."),
    (
        "run",
        "calls:run",
        "Run one worker and print its result. What it causes waits for the next `put`.",
    ),
    (
        "put",
        "calls:put",
        "Upload a file to a bucket; an embedded one runs all that this starts.",
    ),
    (
        "put-records",
        "calls:put_records",
        "Put the lines of a file onto a stream; an embedded one runs all that this starts.",
    ),
    (
        "select",
        "selection:select",
        "Select fans for markets; writes picks.csv, cutoffs.csv and audit.json.",
    ),
    (
        "verify-audit",
        "selection:verify_audit",
        "Recompute a selection from its files; exit 1 and say what differs.",
    ),
    ("seed", "selection:seed_app", "Lottery seeds and their commitments."),
    ("lake", "lake:lake_app", "Look into the Avro files of the lake."),
    ("mongo", "lake:mongo_app", "Prepare the MongoDB database."),
    (
        "services",
        "services:services",
        "Serve doubles of all seven services of other teams on loopback, until interrupted.",
    ),
)
"""Name, place and purpose of each command; its module is imported when it is used.

The purpose is the first line of its docstring, which is not read for a list of all commands.
"""

for _name, _place, _help in COMMANDS:
    app.command(f"{_CLI}.{_place}", name=_name, help=_help)


USERS_TO_MEND = (
    FileNotFoundError,
    FileExistsError,
    NotADirectoryError,
    IsADirectoryError,
    PermissionError,
)
"""Errors of the system that another argument avoids; a full disk is none of them."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad input, 130 interrupted.

    What is read and written is UTF-8 in every locale, as every file here is.
    """
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    status = run(sys.argv[1:] if argv is None else argv)
    try:
        sys.stdout.flush()
    except OSError:
        # What nobody takes goes nowhere, or the interpreter would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
    debug: Annotated[bool, Parameter(name="--debug", negative="")] = False,
) -> int:
    """Run one command.

    Parameters
    ----------
    as_json
        Print the result as JSON.
    debug
        Show the traceback of an error.
    """
    try:
        result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        return _show(result, as_json=as_json)
    except (CycloptsError, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, a person is told in one line
        if debug:
            traceback.print_exc()
        return _complain(*_told(error))


def run(argv: Sequence[str]) -> int:
    """Run the command line with these arguments and return the exit status."""
    try:
        return int(
            app.meta(argv, exit_on_error=False, print_error=False, result_action="return_value")
            or 0
        )
    except CycloptsError as error:
        return _complain(str(error), BAD_INPUT)
    except BrokenPipeError:
        return FAILED
    except OSError as error:
        return _complain(*_told(error))
    except KeyboardInterrupt:
        return _complain("interrupted; nothing was left half-written", INTERRUPTED)


def _told(error: Exception) -> tuple[str, int]:
    """What to say of an error, and the exit status; the text of unforeseen ones is not shown."""
    if isinstance(error, CampaignError):
        return str(error), BAD_INPUT if isinstance(error, BadInput) else FAILED
    if isinstance(error, OSError) and error.strerror:
        status = BAD_INPUT if isinstance(error, USERS_TO_MEND) else FAILED
        return f"{error.filename or 'output'}: {error.strerror}", status
    return f"unforeseen {type(error).__name__}; --debug shows where", FAILED


def _show(result: Any, *, as_json: bool) -> int:
    if result is not None and as_json:
        sys.stdout.write(json.dumps(result.data, ensure_ascii=False) + "\n")
    elif result is not None:
        result.show(Console(file=sys.stdout))
    sys.stdout.flush()
    return FAILED if result is not None and result.failed else 0


def _complain(message: str, status: int) -> int:
    first_line = " ".join(message.split())
    sys.stderr.write(f"campaign-workers: {first_line}\n")
    return status
