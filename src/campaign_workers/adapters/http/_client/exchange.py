"""The tries of one call: what all of them share, whether they block or not."""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import attrs
import httpx

from campaign_workers import __version__
from campaign_workers.adapters.http._client.limits import HttpLimits
from campaign_workers.adapters.http._client.requests import Answer, Call, ServiceBusy, TryFailed
from campaign_workers.adapters.http._client.response_policy import ProblemReading, Reading
from campaign_workers.adapters.http._client.tokens import TokenSource
from campaign_workers.domain.errors import BadInput, RetryLater

_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@attrs.frozen(kw_only=True)
class Service:
    """Where a service is, how it is asked, and how its answers are understood."""

    name: str
    base_url: str
    tokens: TokenSource
    limits: HttpLimits
    reading: Reading = attrs.field(factory=ProblemReading)

    def __attrs_post_init__(self) -> None:
        """Refuse an address that no request can be sent to."""
        try:
            url = httpx.URL(self.base_url)
        except httpx.InvalidURL:
            url = httpx.URL()
        if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query:
            raise BadInput(
                "not the address of a service",
                field=f"{self.name} base_url",
                remedy="give http(s)://host[:port][/path]",
            )

    def client_options(self) -> dict[str, Any]:
        """What both kinds of client are made with."""
        limits = self.limits
        return {
            "base_url": self.base_url,
            "headers": {
                "Accept": "application/json, application/problem+json",
                "User-Agent": f"campaign-workers/{__version__}",
            },
            "timeout": httpx.Timeout(
                connect=limits.connect_seconds,
                read=limits.silence_seconds,
                write=limits.silence_seconds,
                pool=limits.try_seconds,
            ),
            "limits": httpx.Limits(
                max_connections=limits.connections, max_keepalive_connections=limits.connections
            ),
            "verify": _trusted(),
            # Proxies and credentials of the environment are none of our settings.
            "trust_env": False,
        }


@cache
def _trusted() -> Any:
    """The certificates that all clients trust; reading them takes as long as many requests."""
    return httpx.create_ssl_context(trust_env=False)


@attrs.define
class Exchange:
    """A call under way: its tries, and whether one of them may have been carried out."""

    service: Service
    call: Call
    _unknown: bool = False

    def request(self, token: str) -> dict[str, Any]:
        """One try, as httpx takes it."""
        return {
            "method": self.call.method,
            "url": self.call.path,
            "params": self.call.query,
            "json": self.call.body,
            "headers": {**self.call.headers(), "Authorization": f"Bearer {token}"},
        }

    def intake(self) -> "Intake":
        """What takes the answer of one try."""
        return Intake(self.service.limits)

    def broken(self, error: httpx.RequestError) -> TryFailed:
        """No answer came, or not all of it."""
        unknown = not isinstance(error, _NEVER_SENT)
        return TryFailed(f"no answer, {type(error).__name__}", unknown=unknown)

    def content(self, answer: Answer) -> Any:
        """What the answer says; see `Reading.content`."""
        return self.service.reading.content(self.call, answer)

    def wait(self, error: Exception) -> bool | float:
        """Whether stamina is to try again, and after how many seconds if the service says."""
        if not isinstance(error, TryFailed):
            return False
        self._unknown = self._unknown or error.unknown
        if error.wait is None:
            return True
        return error.wait if error.wait <= self.service.limits.longest_wait_seconds else False

    def given_up(self, error: TryFailed) -> RetryLater:
        """What a caller is told after the last try."""
        unknown = self._unknown or error.unknown
        if unknown or error.wait is None:
            return self.call.failed(error.problem, unknown=unknown)
        asked = f"{error.problem}, asks for {error.wait:.0f} s"
        return ServiceBusy(self.call.told(asked), error.wait)

    def too_late(self, error: RetryLater) -> RetryLater:
        """What a caller is told if a later try fails otherwise: an earlier one may have worked."""
        if self._unknown and self.call.changes and type(error) is RetryLater:
            return self.call.failed("nobody knows whether an earlier try worked", unknown=True)
        return error


@attrs.define
class Intake:
    """The body of an answer as it comes in, within the limits of one try."""

    limits: HttpLimits
    _began: float = attrs.field(factory=time.monotonic)
    _body: bytearray = attrs.field(factory=bytearray)

    def take(self, piece: bytes) -> None:
        """One more piece.

        Raises:
            TryFailed: it takes too long, or is too much.
        """
        self._body += piece
        if len(self._body) > self.limits.answer_bytes:
            raise TryFailed(f"an answer over {self.limits.answer_bytes} bytes", unknown=True)
        if time.monotonic() - self._began > self.limits.try_seconds:
            raise TryFailed("the answer takes too long", unknown=True)

    def answer(self, status: int, headers: Mapping[str, str]) -> Answer:
        """The whole answer."""
        return Answer(status=status, headers=headers, body=bytes(self._body))
