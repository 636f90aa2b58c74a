"""Commands, errors and exit statuses of `campaign-workers`."""

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
        "Run a sample campaign from registration to text message, and reconcile its figures.",
    ),
    (
        "campaign",
        "campaigns:campaign",
        "Run the whole campaign on a folder of uploads, and reconcile its figures.",
    ),
    (
        "generate",
        "campaigns:generate",
        "Generate a folder of realistic, dirty uploads of one campaign.",
    ),
    ("report", "campaigns:report", "Build the HTML report of a campaign that ran in a folder."),
    (
        "run",
        "calls:run",
        "Run one worker and print its report; the next `put` runs what that starts.",
    ),
    (
        "put",
        "calls:put",
        "Upload a file to a bucket; an embedded one runs what that starts.",
    ),
    (
        "put-records",
        "calls:put_records",
        "Put the lines of a file on a stream; an embedded one runs what that starts.",
    ),
    (
        "select",
        "selection:select",
        "Select fans for markets; writes picks.csv, cutoffs.csv and audit.json.",
    ),
    (
        "verify-audit",
        "selection:verify_audit",
        "Recompute a selection from its files; exit 1 and print the differences.",
    ),
    ("seed", "selection:seed_app", "Lottery seeds and their commitments."),
    ("lake", "lake:lake_app", "Read the Avro files of the lake."),
    ("mongo", "lake:mongo_app", "Prepare the MongoDB database."),
    (
        "services",
        "services:services",
        "Serve doubles of all seven services of other teams on loopback, until interrupted.",
    ),
)
"""Name, function and purpose of each command; its module is imported when the command runs.

The purpose repeats the first line of the docstring, so that listing commands imports none of them.
"""

for _name, _place, _help in COMMANDS:
    app.command(f"{_CLI}.{_place}", name=_name, help=_help)


USER_ERRORS = (
    FileNotFoundError,
    FileExistsError,
    NotADirectoryError,
    IsADirectoryError,
    PermissionError,
)
"""System errors that other arguments avoid, unlike a full disk: exit status 2."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 success, 1 failure, 2 bad input, 130 interrupted.

    Standard input and output are UTF-8 in every locale, as all files are.
    """
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    status = run(sys.argv[1:] if argv is None else argv)
    try:
        sys.stdout.flush()
    except OSError:
        # The reader closed the pipe; redirect stdout to /dev/null so the final flush cannot fail.
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
        Print the traceback of an error.
    """
    try:
        result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
        return _print_result(result, as_json=as_json)
    except (CycloptsError, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - every error becomes one line and a status
        if debug:
            traceback.print_exc()
        return _print_error(*_describe_error(error))


def run(argv: Sequence[str]) -> int:
    """Run the command line with these arguments and return the exit status."""
    try:
        return int(
            app.meta(argv, exit_on_error=False, print_error=False, result_action="return_value")
            or 0
        )
    except CycloptsError as error:
        return _print_error(str(error), BAD_INPUT)
    except BrokenPipeError:
        return FAILED
    except OSError as error:
        return _print_error(*_describe_error(error))
    except KeyboardInterrupt:
        return _print_error("interrupted; nothing was left half-written", INTERRUPTED)


def _describe_error(error: Exception) -> tuple[str, int]:
    """Return message and exit status; an unexpected error's message may be personal: hide it."""
    if isinstance(error, CampaignError):
        return str(error), BAD_INPUT if isinstance(error, BadInput) else FAILED
    if isinstance(error, OSError) and error.strerror:
        status = BAD_INPUT if isinstance(error, USER_ERRORS) else FAILED
        return f"{error.filename or 'output'}: {error.strerror}", status
    return f"unexpected {type(error).__name__}; use --debug for the traceback", FAILED


def _print_result(result: Any, *, as_json: bool) -> int:
    if result is not None and as_json:
        sys.stdout.write(json.dumps(result.data, ensure_ascii=False) + "\n")
    elif result is not None:
        result.show(Console(file=sys.stdout))
    sys.stdout.flush()
    return FAILED if result is not None and result.failed else 0


def _print_error(message: str, status: int) -> int:
    first_line = " ".join(message.split())
    sys.stderr.write(f"campaign-workers: {first_line}\n")
    return status
