"""The kinds of providers that the tables are written with; each imports its module when asked."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from dependency_injector import providers

from campaign_workers.domain.errors import BadInput
from campaign_workers.settings import Settings

ADAPTERS: Final = "campaign_workers.adapters"
WORKERS_ROOM: Final = "campaign_workers.workers"


def lazy(place: str) -> Callable[..., Any]:
    """`module:name`, imported when it is called."""
    module, _, name = place.partition(":")

    def make(*args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(module), name)(*args, **kwargs)

    return make


def adapter(place: str, *args: Any, **kwargs: Any) -> providers.Singleton[Any]:
    """One adapter, made of others."""
    return providers.Singleton(lazy(f"{ADAPTERS}.{place}"), *args, **kwargs)


def worker(place: str, **ports: Any) -> providers.Factory[Any]:
    """A worker with its ports."""
    return providers.Factory(lazy(f"{WORKERS_ROOM}.{place}"), **ports)


def each(
    names: tuple[str, ...], place: str, *args: Any, suffix: Any = ""
) -> providers.Singleton[Any]:
    """One adapter a name, as a mapping; outside each is called by its name and `suffix`."""

    def make(suffix: str, *resolved: Any) -> dict[str, Any]:
        make_one = lazy(f"{ADAPTERS}.{place}")
        return {name: make_one(*resolved, name=name + suffix) for name in names}

    return providers.Singleton(make, suffix, *args)


def client(service: str) -> providers.Provider[Any]:
    """The client of a service of AWS."""
    return adapter("aws.clients:client", service)


def asked(place: str, service: str, settings: Any, *args: Any) -> providers.Singleton[Any]:
    """The client of another team's service over HTTP."""

    def make(settings: Settings, *args: Any) -> Any:
        return lazy(f"{ADAPTERS}.http.{place}")(settings.service_url(service), *args)

    return providers.Singleton(make, settings, *args)


def required(settings: Any, name: str) -> providers.Provider[str]:
    """A setting that the profile cannot do without."""

    def read(settings: Settings) -> str:
        value: str | None = getattr(settings, name)
        if not value:
            raise BadInput(
                "the profile aws needs this setting",
                field=name,
                remedy=f"set CAMPAIGN_WORKERS_{name.upper()}",
            )
        return value

    return providers.Callable(read, settings)


def served(profile: Any, embedded: Any, aws: Any) -> providers.Selector:
    """In-process in both embedded profiles, over a network in the other."""
    return providers.Selector(profile, memory=embedded, local=embedded, aws=aws)
