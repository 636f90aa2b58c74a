"""Runs Schemathesis on the doubles: requests that their documents allow, and ones that they forbid.

`python -m tests.services.schemathesis_runs [EXAMPLES]` runs many examples, the tests a few.
"""

import sys
from pathlib import Path

from click.testing import CliRunner

from campaign_workers.doubles import LOCAL_TOKEN
from campaign_workers.doubles.documents import SERVICES
from campaign_workers.testing.builders import campaign
from tests.contracts.http_worlds import World, run_server, world

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("schemathesis.toml")
THOROUGH = 300


def with_example_data(fresh: World) -> World:
    """Add the data that the examples of the documents need, and return the world."""
    fresh.behind.campaigns.put(campaign("summer-tour", category_id=4711))
    fresh.behind.codes.load("summer-tour", ["K7Q2M4XZ", "Q9D3W8LT"])
    fresh.behind.users.put("fan-1", "u-1")
    return fresh


def run_schemathesis(service: str, url: str, *, examples: int, seed: int = 1) -> tuple[bool, str]:
    """Return whether the double of a service passes, and the report."""
    from schemathesis.cli import schemathesis

    options = [
        *("--config-file", str(CONFIG)),
        *("run", str(ROOT / "schemas" / "openapi" / f"{service}.yaml")),
        *("--url", url, "--header", f"Authorization: Bearer {LOCAL_TOKEN}"),
        *("--phases", "examples,coverage,fuzzing"),
        *("--max-examples", str(examples), "--seed", str(seed)),
        *("--continue-on-failure", "--no-color", "--warnings", "off"),
    ]
    ran = CliRunner().invoke(schemathesis, options)
    return ran.exit_code == 0, ran.output


def main() -> None:
    """Run Schemathesis on all doubles."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else THOROUGH
    failed = []
    with run_server() as server:
        for service in SERVICES:
            place = with_example_data(world(server, channels={"#summer-tour"})).at(service)
            passed, report = run_schemathesis(service, place, examples=examples)
            print(report)
            failed += [] if passed else [service]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
