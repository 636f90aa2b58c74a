"""The command line: `campaign-workers`, the same as `python -m campaign_workers`."""

import json
import sys
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
)

_CLI = "campaign_workers.entrypoints.cli"

COMMANDS = (
    ("demo", "demo:demo", "Run a made-up campaign from registration to text message."),
    ("campaign", "demo:campaign", "Run the whole campaign on a folder of uploads."),
    ("generate", "generate:generate", "Make a folder of plausible, dirty uploads."),
    ("report", "demo:report", "Build the HTML report of a campaign that ran."),
    ("run", "embedded:run", "Run one worker."),
    ("put", "embedded:put", "Upload a file to an embedded bucket; fires its trigger."),
    ("put-records", "embedded:put_records", "Put records onto an embedded stream."),
    ("select", "selection:select", "Select fans for markets."),
    ("verify-audit", "selection:verify_audit", "Recompute a selection and compare."),
    ("seed", "seeds:app", "Lottery seeds and their commitments."),
    ("lake", "lake:app", "Look into the Avro files of the lake."),
    ("mongo", "mongo:app", "Prepare the MongoDB database."),
    ("services", "services:services", "Serve doubles of other teams' services on loopback."),
)
"""Name, place and purpose of each command; its module is imported when it is used."""

for _name, _place, _help in COMMANDS:
    app.command(f"{_CLI}.{_place}", name=_name, help=_help)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


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
    except (CycloptsError, BrokenPipeError):
        raise
    except Exception as error:
        if debug:
            raise
        return _complain(*_told(error))
    return _show(result, as_json=as_json)


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
        sys.stderr.close()
        return FAILED
    except KeyboardInterrupt:
        return _complain("interrupted; nothing was left half-written", INTERRUPTED)


def _told(error: Exception) -> tuple[str, int]:
    """What to say of an error, and the exit status; the text of unforeseen ones is not shown."""
    if isinstance(error, CampaignError):
        return str(error), BAD_INPUT if isinstance(error, BadInput) else FAILED
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}", BAD_INPUT
    return f"unforeseen {type(error).__name__}; --debug shows where", FAILED


def _show(result: Any, *, as_json: bool) -> int:
    if result is None:
        return 0
    if as_json:
        sys.stdout.write(json.dumps(result.data, ensure_ascii=False) + "\n")
    else:
        result.show(Console(file=sys.stdout))
    return FAILED if result.failed else 0


def _complain(message: str, status: int) -> int:
    first_line = " ".join(message.split())
    sys.stderr.write(f"campaign-workers: {first_line}\n")
    return status
