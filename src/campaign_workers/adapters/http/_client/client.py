"""What every client of a service is made of."""

from typing import Any, ClassVar, Self, TypeVar

from campaign_workers.adapters.http._client.exchange import Service
from campaign_workers.adapters.http._client.limits import HttpLimits
from campaign_workers.adapters.http._client.requests import Call
from campaign_workers.adapters.http._client.response_policy import ProblemReading, Reading
from campaign_workers.adapters.http._client.responses import read
from campaign_workers.adapters.http._client.sessions import AsyncSession, Session
from campaign_workers.adapters.http._client.tokens import TokenSource
from campaign_workers.ports.system import Secrets

_T = TypeVar("_T")


def token_secret(service: str) -> str:
    """The name of the secret that holds the token for a service."""
    return f"services/{service}/token"


class Client:
    """A client of the service `name`: calls are made with its words and sent with its token."""

    name: ClassVar[str]
    reading: ClassVar[Reading] = ProblemReading()

    def _service(self, base_url: str, secrets: Secrets, limits: HttpLimits) -> Service:
        return Service(
            name=self.name,
            base_url=base_url,
            tokens=TokenSource(secrets, token_secret(self.name)),
            limits=limits,
            reading=self.reading,
        )

    def _get(self, path: str, *query: tuple[str, str]) -> Call:
        return Call(service=self.name, method="GET", path=path, query=query)

    def _search(self, path: str, body: Any) -> Call:
        """A question whose words must not stand in an address, because addresses are logged."""
        return Call(service=self.name, method="POST", path=path, body=body)

    def _post(self, path: str, body: Any, **details: Any) -> Call:
        """A request that changes something; most services know its repeats by the key."""
        known = {"changes": True, "takes_key": True, **details}
        return Call(service=self.name, method="POST", path=path, body=body, **known)


class BlockingClient(Client):
    """A client that waits for its answers; threads may share it."""

    def __init__(
        self, base_url: str, secrets: Secrets, *, limits: HttpLimits | None = None
    ) -> None:
        self._session = Session(self._service(base_url, secrets, limits or HttpLimits()))

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sent(self, call: Call) -> Any:
        return self._session.send(call)

    def _read(self, kind: type[_T], call: Call) -> _T:
        return read(kind, self._sent(call), call)


class AsyncClient(Client):
    """A client for coroutines; its connections are closed with the loop that they belong to."""

    def __init__(
        self, base_url: str, secrets: Secrets, *, limits: HttpLimits | None = None
    ) -> None:
        self._session = AsyncSession(self._service(base_url, secrets, limits or HttpLimits()))

    async def _sent(self, call: Call) -> Any:
        return await self._session.send(call)
