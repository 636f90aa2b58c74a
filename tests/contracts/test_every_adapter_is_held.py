"""Every adapter of a port passes the contract of the port."""

import ast
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import campaign_workers.adapters
import campaign_workers.ports
import campaign_workers.testing.contracts
from campaign_workers.container import Container
from campaign_workers.settings import Profile, Settings
from campaign_workers.testing.contracts._base import Contract

Pair = tuple[str, str]
"""Names of an adapter and of a port that it serves."""

HERE = Path(__file__).parent


def classes(package: ModuleType) -> Iterator[type]:
    """Public classes that the modules of a package define."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for name, found in vars(import_module(module.name)).items():
            if inspect.isclass(found) and found.__module__ == module.name and name[0] != "_":
                yield found


def methods(found: type) -> dict[str, list[str]]:
    """Public methods and the names of their parameters."""
    return {
        name: list(inspect.signature(member).parameters)
        for name, member in inspect.getmembers(found, inspect.isfunction)
        if not name.startswith("_")
    }


def served(adapters: Iterable[type], ports: Iterable[type]) -> set[Pair]:
    """Who has every method of which port; one method of a larger port makes no smaller one."""
    pairs = set()
    for adapter in adapters:
        if not is_protocol(adapter):
            fitting = [p for p in ports if methods(p).items() <= methods(adapter).items()]
            pairs |= {
                (adapter.__name__, port.__name__)
                for port in fitting
                if not any(is_part(port, of=larger) for larger in fitting)
            }
    return pairs


def is_part(port: type, *, of: type) -> bool:
    """Whether a port's methods are some of another's, which yet does not extend it."""
    return methods(port).items() < methods(of).items() and port not in of.__mro__


def is_protocol(found: type) -> bool:
    return bool(getattr(found, "_is_protocol", False))


def held(tests: Iterable[ast.ClassDef]) -> set[Pair]:
    """Who is named in a test class that inherits which port's contract."""
    contracts = {
        found.__name__: found
        for found in classes(campaign_workers.testing.contracts)
        if issubclass(found, Contract)
    }
    return {
        (name, kept.__name__.removesuffix("Contract"))
        for test in tests
        for base in map(ast.unparse, test.bases)
        if (contract := contracts.get(base.rpartition(".")[2]))
        for kept in contract.__mro__
        for name in names(test)
    }


def names(test: ast.ClassDef) -> set[str]:
    """Names that a class uses."""
    return {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}


def collected() -> Iterator[ast.ClassDef]:
    """The classes beside this module that pytest collects."""
    for file in HERE.glob("test_*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                yield node


def ports() -> list[type]:
    """The ports, and what the embedded runtime asks of their adapters besides."""
    rooms = (campaign_workers.ports, campaign_workers.testing.contracts)
    return [port for room in rooms for port in classes(room) if is_protocol(port) and methods(port)]


def test_every_adapter_is_held_to_the_contract_of_its_port() -> None:
    """Every class with the methods of a port runs the contract of the port."""
    pairs = served(classes(campaign_workers.adapters), ports())
    assert len(pairs) > 30
    assert sorted(pairs - held(collected())) == []


def wired(profile: Profile, folder: Path) -> set[str]:
    """Names of the adapters that the container wires in a profile."""
    # What the profile itself does not need, providers of others ask for.
    settings = Settings(
        dir=folder,
        mongodb_uri="mongodb://127.0.0.1/campaigns",
        services_url="http://127.0.0.1/{service}",
        campaign_data_bucket="campaign-data",
        scoring_bucket="scoring",
        sms_wave_state_machine="arn:aws:states:us-east-1:000000000000:stateMachine:wave",
    )
    container = Container(profile, settings=settings)
    given = [provide() for provide in container.wiring.providers.values()]
    many = [adapter for some in given if isinstance(some, dict) for adapter in some.values()]
    rooms = f"{campaign_workers.adapters.__name__}."
    container.wiring.database().close()
    return {type(a).__name__ for a in (*given, *many) if type(a).__module__.startswith(rooms)}


@pytest.mark.parametrize("profile", ["memory", "local"])
def test_whatever_the_container_wires_is_held(profile: Profile, tmp_path: Path) -> None:
    """Every adapter of a profile has a contract."""
    found = wired(profile, tmp_path)
    assert len(found) > 15
    assert found <= {adapter for adapter, _ in held(collected())}


def test_an_adapter_that_nothing_holds_is_found() -> None:
    """The rule above can fail."""

    class Forgotten:
        def stream(self, members: object, *, modified: object) -> object: ...

    assert served([Forgotten], ports()) == {("Forgotten", "ZipWriter")}
    [test] = ast.parse("class TestIt(ZipWriterContract):\n    adapter = Remembered()").body
    assert isinstance(test, ast.ClassDef)
    assert ("Remembered", "ZipWriter") in held([test])
    assert ("Forgotten", "ZipWriter") not in held([test])
