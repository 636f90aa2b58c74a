"""mypy checks the wiring: adapters against their ports, and the attributes of a container."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
HEAD: Final = """
from campaign_workers.container import Container
from campaign_workers.container.ports import Ports
from campaign_workers.container.profiles import embedded_or_aws
from campaign_workers.container import aws, embedded
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.running.reports import Worker
from campaign_workers.ports.object_store import ObjectStore
from dependency_injector.providers import Provider
"""
RIGHT: Final = """
def lake(ports: Ports) -> ObjectStore:
    from campaign_workers.adapters.memory.object_store import MemoryObjectStore

    return MemoryObjectStore(ports.clock)

provider: Provider[ObjectStore] = embedded_or_aws(embedded=lake, aws=aws.lake)
"""
WRONG: Final = {
    "an adapter of another port": (
        """
def lake(ports: Ports) -> ObjectStore:
    from campaign_workers.adapters.memory.streams import MemoryRecordStream

    return MemoryRecordStream(ports.clock)
""",
        'Incompatible return value type (got "MemoryRecordStream", expected "ObjectStore")',
    ),
    "a builder in the row of another port": (
        """
provider: Provider[ObjectStore] = embedded_or_aws(embedded=embedded.demand, aws=aws.lake)
""",
        'expected "Callable[[Ports], ObjectStore]"',
    ),
    "an argument of another port": (
        """
def save_stats(ports: Ports) -> Worker[Tick]:
    from campaign_workers.workers.save_stats import SaveStats

    return SaveStats(
        campaigns=ports.campaign_repository,
        entries=ports.admin_stats,
        stats=ports.admin_stats,
        clock=ports.clock,
    )
""",
        'Argument "entries" to "SaveStats" has incompatible type "AdminStatsRepository"',
    ),
    "a worker of another request": (
        """
def merge(ports: Ports) -> Worker[Tick]:
    from campaign_workers.container.workers import merge_avro_files

    return merge_avro_files(ports)
""",
        'expected "Worker[Tick]"',
    ),
}
REVEALED: Final = {
    "lake": "ObjectStore",
    "streams": "campaign_workers.ports.streams.RecordStream]",
    "clock": "Clock",
    "campaigns": "FakeCampaignService",
    "journal": "Journal",
    "runtime": "Runtime",
}


def mypy(code: str, folder: Path) -> str:
    """Return what mypy prints about a module."""
    module = folder / "checked.py"
    module.write_text(code, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        str(module),
    ]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    return done.stdout


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy prints about all modules in one run; `reveal_type` prints types."""
    folder = tmp_path_factory.mktemp("wrong")
    reveal = [f'reveal_type(Container("memory").{name})' for name in REVEALED]
    parts = [HEAD, *(code for code, _ in WRONG.values()), *reveal]
    return mypy("\n".join(parts), folder)


@pytest.mark.parametrize("case", WRONG)
def test_mypy_finds_a_wrong_wiring(case: str, output: str) -> None:
    """An error names the type that the port requires."""
    assert WRONG[case][1] in output


def test_mypy_accepts_a_right_wiring(tmp_path: Path) -> None:
    """The errors above come from the wrong lines, not from how the modules are checked."""
    assert mypy(HEAD + RIGHT, tmp_path).startswith("Success")


@pytest.mark.parametrize("name", REVEALED)
def test_an_attribute_of_a_container_has_the_type_of_its_port(name: str, output: str) -> None:
    """An editor completes the methods of the port."""
    revealed = [line for line in output.splitlines() if "Revealed type" in line]
    assert f'{REVEALED[name]}"' in revealed[list(REVEALED).index(name)]
