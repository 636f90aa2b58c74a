"""The bearer token of a service, cached until the service refuses it."""

import re
from threading import Lock
from typing import Final

import attrs

from campaign_workers.domain.errors import NotFound, RetryLater
from campaign_workers.ports.system import Secrets

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@attrs.define
class TokenSource:
    """Reads the token from the secret `name` once, and again when the service refuses it.

    Threads may share it.
    """

    secrets: Secrets
    name: str
    _token: str | None = attrs.field(default=None, init=False, repr=False)
    _lock: Lock = attrs.field(factory=Lock, init=False, repr=False)

    @property
    def cached_token(self) -> str | None:
        """The token, None before it is first read."""
        return self._token

    def current(self) -> str:
        """Return the token.

        Raises:
            RetryLater: the secret cannot be read or is not a token.
        """
        with self._lock:
            if self._token is None:
                self._token = self._read()
            return self._token

    def renew(self, refused: str) -> str:
        """Return the token that replaces a refused one; concurrent callers share one read.

        Raises:
            RetryLater: the secret cannot be read or is not a token.
        """
        with self._lock:
            if self._token in {None, refused}:
                self._token = self._read()
            return self._token or ""

    def _read(self) -> str:
        try:
            token = self.secrets.read(self.name).strip()
        except NotFound:
            # NotFound would tell the caller that the requested campaign does not exist.
            raise RetryLater(
                f"the secret {self.name} does not exist; create it with the service's bearer token"
            ) from None
        if not _TOKEN.fullmatch(token):
            # An HTTP library would quote the invalid header value in its error.
            raise RetryLater(
                f"the secret {self.name} is not a valid bearer token; "
                "use printable ASCII without spaces"
            )
        return token
