"""`services`: serve doubles of other teams' services on loopback, for local development."""

import signal
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from campaign_workers.container import Container
from campaign_workers.domain.errors import BadInput
from campaign_workers.entrypoints.cli.results import Result
from campaign_workers.settings import Settings

if TYPE_CHECKING:
    from campaign_workers.doubles import Doubles

PORT = 8030


def services(
    *,
    port: int = PORT,
    folder: Annotated[Path | None, Parameter(name="--dir")] = None,
    token: str = "local",  # noqa: S107
    share: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    seed: str = "",
) -> Result:
    """Serve doubles of all seven services of other teams on loopback, until interrupted.

    Faults are requested with the header `X-Fault`, at `/_doubles/faults`, or with --share;
    docs/services.md describes them.

    Parameters
    ----------
    port
        Port on loopback; 0 picks a free one.
    folder
        Serve the data of a campaign that ran in this folder; without it, start empty.
    token
        Bearer token that the services accept.
    share
        Make a share of the requests fail, as FAULT:SHARE: answer-lost:0.2 or error=502:0.05.
    seed
        Seed that selects the failing requests; the same seed selects the same ones.
    """
    if not 0 <= port <= 65535:
        raise BadInput(
            f"{port} is not a valid port; use 0-65535 (0 picks a free one)", field="--port"
        )
    doubles = _doubles(folder, token)
    doubles.faults.inject_shares(_shares(share), seed=seed)
    from campaign_workers.doubles import serve

    with serve(doubles.app, port=port) as url:
        addresses = {name: f"{url}/{name}" for name in doubles.services}
        _print_addresses(addresses)
        _wait_until_stopped()
    injected = doubles.faults.counts()
    return Result(
        data={"services": addresses, "struck": injected},
        columns=("service", "fault", "times"),
        rows=tuple((name, *fault) for name, faults in injected.items() for fault in faults.items()),
    )


def _doubles(folder: Path | None, token: str) -> "Doubles":
    try:
        from campaign_workers.doubles import Doubles, ServiceFakes
        from campaign_workers.doubles.documents import SERVICES
    except ModuleNotFoundError:
        raise BadInput(
            "the 'services' command needs campaign-workers[services]", remedy="install it"
        ) from None
    if folder is not None and not folder.is_dir():
        raise BadInput("no such folder", file=str(folder))
    embedded = _container(folder).embedded
    fakes = ServiceFakes(
        campaigns=embedded.campaigns,
        entries=embedded.entries,
        codes=embedded.code_pool,
        users=embedded.users,
        offer_codes=embedded.offer_codes,
        sms=embedded.sms,
        chat=embedded.chat,
    )
    return Doubles(fakes, tokens={token: SERVICES})


def _container(folder: Path | None) -> Container:
    if folder is None:
        return Container("memory", settings=Settings(profile="memory"))
    return Container("local", settings=Settings(dir=folder))


def _shares(texts: tuple[str, ...]) -> dict[Any, float]:
    from campaign_workers.doubles import Fault

    shares = {}
    for text in texts:
        fault, _, share = text.rpartition(":")
        try:
            shares[Fault.parse(fault)] = float(share)
        except ValueError:
            raise BadInput(
                "expected FAULT:SHARE, such as answer-lost:0.2", field="--share"
            ) from None
    return shares


def _print_addresses(addresses: dict[str, str]) -> None:
    console = Console(stderr=True)
    for name, address in addresses.items():
        console.print(f"{name:9} {address}", markup=False, highlight=False, soft_wrap=True)
    console.print("Ctrl-C stops them.", highlight=False)


def _wait_until_stopped() -> None:
    """Wait for SIGINT (Ctrl-C) or SIGTERM."""
    stopped = Event()
    before = {
        number: signal.signal(number, lambda *_: stopped.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
