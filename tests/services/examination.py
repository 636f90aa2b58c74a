"""Schemathesis on the doubles: requests that their documents allow, and ones that they forbid.

`python -m tests.services.examination [EXAMPLES]` looks long; the tests look briefly.
"""

import sys
from pathlib import Path

from click.testing import CliRunner

from campaign_workers.doubles import LOCAL_TOKEN
from campaign_workers.doubles.documents import SERVICES
from campaign_workers.testing.builders import campaign
from tests.contracts.http_worlds import World, running, world

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("schemathesis.toml")
THOROUGH = 300


def examinee(fresh: World) -> World:
    """A world in which the examples of the documents can be carried out."""
    fresh.behind.campaigns.put(campaign("summer-tour", category_id=4711))
    fresh.behind.codes.load("summer-tour", ["K7Q2M4XZ", "Q9D3W8LT"])
    fresh.behind.users.put("fan-1", "u-1")
    return fresh


def examined(service: str, url: str, *, examples: int, seed: int = 1) -> tuple[bool, str]:
    """Whether nothing was found wrong with the double of a service, and the report."""
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
    """Examine all doubles."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else THOROUGH
    wrong = []
    with running() as server:
        for service in SERVICES:
            place = examinee(world(server, channels={"#summer-tour"})).at(service)
            good, report = examined(service, place, examples=examples)
            print(report)
            wrong += [] if good else [service]
    sys.exit(f"found something wrong with {', '.join(wrong)}" if wrong else 0)


if __name__ == "__main__":
    main()
