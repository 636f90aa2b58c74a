"""`services`: the doubles of other teams' services on loopback, for local development."""

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

    What goes wrong is ordered with the header `X-Fault` of a request, at `/_doubles/faults`, or
    here; docs/services.md has it all.

    Parameters
    ----------
    port
        Port of loopback; 0 is any free one.
    folder
        Serve what a campaign left in this folder; by default nothing but what is put in.
    token
        Bearer token that the services know.
    share
        Let a share of the requests fail, as FAULT:SHARE, such as answer-lost:0.2 or error=502:0.05.
    seed
        Which requests those are; the same in every run with the same seed.
    """
    if not 0 <= port <= 65535:
        raise BadInput("no port", field="--port", remedy="use 1 to 65535, or 0 for any free one")
    doubles = _doubles(folder, token)
    doubles.faults.inject_shares(_shares(share), seed=seed)
    from campaign_workers.doubles import serve

    with serve(doubles.app, port=port) as url:
        addresses = {name: f"{url}/{name}" for name in doubles.services}
        _tell(addresses)
        _wait_until_stopped()
    struck = doubles.faults.counts()
    return Result(
        data={"services": addresses, "struck": struck},
        columns=("service", "fault", "times"),
        rows=tuple((name, *fault) for name, faults in struck.items() for fault in faults.items()),
    )


def _doubles(folder: Path | None, token: str) -> "Doubles":
    try:
        from campaign_workers.doubles import Doubles, ServiceFakes
        from campaign_workers.doubles.documents import SERVICES
    except ModuleNotFoundError:
        raise BadInput(
            "the doubles need more", field="services", remedy="install campaign-workers[services]"
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
            raise BadInput("no share", field="--share", remedy="give FAULT:SHARE") from None
    return shares


def _tell(addresses: dict[str, str]) -> None:
    console = Console(stderr=True)
    for name, address in addresses.items():
        console.print(f"{name:9} {address}", markup=False, highlight=False, soft_wrap=True)
    console.print("Ctrl-C stops them.", highlight=False)


def _wait_until_stopped() -> None:
    """Wait for Ctrl-C, or for whoever ends processes politely."""
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
