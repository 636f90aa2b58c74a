"""A port's docstrings are its contract."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import campaign_workers.ports


def protocols() -> Iterator[type]:
    """Every Protocol that the ports room defines."""
    package = campaign_workers.ports
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if (
                inspect.isclass(value)
                and value.__module__ == module.__name__
                and getattr(value, "_is_protocol", False)
            ):
                yield value


def undocumented(protocol: type) -> Iterator[str]:
    """What `protocol` leaves unsaid, as lines for the failure message."""
    if not inspect.getdoc(protocol):
        yield f"{protocol.__qualname__} has no docstring"
    for name, member in vars(protocol).items():
        if name.startswith("_") or not inspect.isfunction(member):
            continue
        text = member.__doc__ or ""
        if "Raises:" not in text:
            yield f"{protocol.__qualname__}.{name} does not say what it raises"


def test_every_port_method_says_what_it_raises() -> None:
    """A port method has a docstring with a "Raises:" section, if only "Raises: nothing."."""
    assert not [line for protocol in protocols() for line in undocumented(protocol)]
