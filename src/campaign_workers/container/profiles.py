"""How providers are declared: one typed function for each profile, called once and then shared."""

from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dependency_injector import providers

from campaign_workers.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from campaign_workers.container.ports import Ports

EMBEDDED: Final = ("memory", "local")
"""Profiles that need nothing outside this machine."""
PROFILES: Final = (*EMBEDDED, "aws")
"""Every profile."""
EXTRAS: Final = {
    "aws_kinesis_agg": "aws",
    "boto3": "aws",
    "botocore": "aws",
    "httpx": "http",
    "opentelemetry": "traces",
    "pymongo": "mongo",
    "stamina": "http",
    "urllib3": "aws",
}
"""Packages that only an extra of this package installs."""

T = TypeVar("T")
Build = Callable[["Ports"], T]
"""Builds one adapter; asks `Ports` for the adapters and settings that it needs."""

ports: Final["providers.Dependency[Ports]"] = providers.Dependency()
profile: Final[providers.Dependency[str]] = providers.Dependency(instance_of=str)


def single(build: Build[T]) -> providers.Provider[T]:
    """Return a provider that calls `build` once, whatever the profile."""

    @wraps(build)
    def build_adapter(ports: "Ports") -> T:
        with name_missing_extra():
            return build(ports)

    return providers.Singleton(build_adapter, ports)


def by_profile(*, memory: Build[T], local: Build[T], aws: Build[T]) -> providers.Provider[T]:
    """Return a provider that builds a different adapter in each profile."""
    chosen: providers.Selector[Any] = providers.Selector(
        profile, memory=single(memory), local=single(local), aws=single(aws)
    )
    return chosen


def embedded_or_aws(*, embedded: Build[T], aws: Build[T]) -> providers.Provider[T]:
    """Return a provider that builds one adapter in both embedded profiles, another one on AWS."""
    return by_profile(memory=embedded, local=embedded, aws=aws)


def embedded_only(*, memory: Build[T], local: Build[T]) -> providers.Provider[T]:
    """Return a provider that exists in the embedded profiles alone."""
    return by_profile(memory=memory, local=local, aws=_refuse)


@contextmanager
def name_missing_extra() -> "Iterator[None]":
    """Turn the failed import of an optional package into an error that names its extra.

    Raises:
        BadInput: a package of an extra is not installed; names the extra.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise BadInput(
            "not installed",
            field=package,
            remedy=f"install campaign-workers[{EXTRAS[package]}]",
        ) from None


def _refuse(ports: "Ports") -> Any:
    raise BadInput("profile 'aws' has no embedded services; use 'local' or 'memory'")
