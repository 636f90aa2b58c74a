"""Generates the table of docs/adapters.md: the adapters of each port by profile.

Run `python -m tests.contracts.adapters_page`.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import campaign_workers.adapters
import campaign_workers.ports
import campaign_workers.testing.contracts
from campaign_workers.container import Container
from campaign_workers.container.profiles import EMBEDDED
from campaign_workers.settings import Profile, Settings
from tests.contracts.test_every_adapter_is_held import classes, is_protocol, served

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "adapters.md"
SUITES: Final = "src/campaign_workers/testing/contracts"
BEGIN, END = "<!-- matrix -->\n", "<!-- end of matrix -->\n"

REMOTE: Final = ("aws", "http", "mongo")
"""Packages whose adapters call a server over a network."""

NOT_LISTED: Final = {"Merge": "an engine's answer"}


def wired(profile: Profile) -> list[type]:
    """The classes that the container wires in a profile."""
    with TemporaryDirectory() as folder:
        settings = Settings(
            dir=Path(folder),
            mongodb_uri="mongodb://127.0.0.1/campaigns",
            services_url="http://127.0.0.1/{service}",
            campaign_data_bucket="campaign-data",
            scoring_bucket="scoring",
            sms_wave_state_machine="arn:aws:states:us-east-1:000000000000:stateMachine:wave",
        )
        container = Container(profile, settings=settings)
        given: list[Any] = [provide() for provide in container.wiring.providers.values()]
        container.wiring.database().close()
    each = (some.values() if isinstance(some, dict) else (some,) for some in given)
    return [type(adapter) for adapters in each for adapter in adapters]


def remote() -> list[type]:
    """The classes of the rooms that reach over a network."""
    rooms = tuple(f"{campaign_workers.adapters.__name__}.{room}." for room in REMOTE)
    return [
        found for found in classes(campaign_workers.adapters) if found.__module__.startswith(rooms)
    ]


def suite(port: type) -> tuple[str, str]:
    """A link to the module of a port's contract, and how many tests that has."""
    for found in classes(campaign_workers.testing.contracts):
        if found.__name__ == f"{port.__name__}Contract":
            file = Path(import_module(found.__module__).__file__ or "").name
            tests = sum(name.startswith("test_") for name in dir(found))
            return f"[{found.__name__}](../{SUITES}/{file})", str(tests)
    raise LookupError(f"{port.__name__} has no contract")


def rows() -> Iterator[tuple[str, ...]]:
    """Port, suite, its tests, the adapters of each profile, and those over a network."""
    ports = [p for p in classes(campaign_workers.ports) if is_protocol(p)]
    pairs = [served(some, ports) for some in (*(wired(name) for name in EMBEDDED), remote())]
    for port in sorted(ports, key=lambda port: port.__name__):
        if port.__name__ not in NOT_LISTED:
            names = (
                ", ".join(f"`{name}`" for name, of in sorted(some) if of == port.__name__)
                for some in pairs
            )
            yield (f"`{port.__name__}`", *suite(port), *names)


def matrix() -> str:
    """Return the table in Markdown."""
    head = ("port", "contract", "tests", *EMBEDDED, "over a network")
    rule = tuple("---:" if name == "tests" else "---" for name in head)
    lines = [head, rule, *rows()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{matrix()}{END}{after}", encoding="utf-8")
