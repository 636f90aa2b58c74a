"""Base classes of the clients."""

from typing import Any, ClassVar, Self, TypeVar

from campaign_workers.adapters.http._client.requests import HttpLimits, ServiceRequest
from campaign_workers.adapters.http._client.response_policy import ProblemPolicy, ResponsePolicy
from campaign_workers.adapters.http._client.responses import parse_response
from campaign_workers.adapters.http._client.session import AsyncSession, Service, Session
from campaign_workers.adapters.http._client.tokens import TokenSource
from campaign_workers.ports.system import Secrets

_T = TypeVar("_T")


def token_secret(service: str) -> str:
    """Return the name of the secret that holds the token of a service."""
    return f"services/{service}/token"


class Client:
    """A client of the service `name`."""

    name: ClassVar[str]
    policy: ClassVar[ResponsePolicy] = ProblemPolicy()

    def _service(self, base_url: str, secrets: Secrets, limits: HttpLimits) -> Service:
        return Service(
            name=self.name,
            base_url=base_url,
            tokens=TokenSource(secrets, token_secret(self.name)),
            limits=limits,
            policy=self.policy,
        )

    def _get(self, path: str, *query: tuple[str, str]) -> ServiceRequest:
        return ServiceRequest(service=self.name, method="GET", path=path, query=query)

    def _search(self, path: str, body: Any) -> ServiceRequest:
        """Return a read-only POST: the query is personal and URLs are logged."""
        return ServiceRequest(service=self.name, method="POST", path=path, body=body)

    def _post(self, path: str, body: Any, **options: Any) -> ServiceRequest:
        """Return a request that has an effect; most services deduplicate it by its key."""
        defaults = {"changes": True, "takes_key": True, **options}
        return ServiceRequest(service=self.name, method="POST", path=path, body=body, **defaults)


class BlockingClient(Client):
    """A client whose calls block; threads may share it."""

    def __init__(
        self, base_url: str, secrets: Secrets, *, limits: HttpLimits | None = None
    ) -> None:
        self._session = Session(self._service(base_url, secrets, limits or HttpLimits()))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, request: ServiceRequest) -> Any:
        return self._session.send(request)

    def _fetch(self, response_type: type[_T], request: ServiceRequest) -> _T:
        return parse_response(response_type, self._send(request), request)


class AsyncClient(Client):
    """A client for coroutines; its connections close together with the event loop."""

    def __init__(
        self, base_url: str, secrets: Secrets, *, limits: HttpLimits | None = None
    ) -> None:
        self._session = AsyncSession(self._service(base_url, secrets, limits or HttpLimits()))

    async def _send(self, request: ServiceRequest) -> Any:
        return await self._session.send(request)
