"""The bearer token of one service, kept until the service refuses it."""

import re
from threading import Lock
from typing import Final

import attrs

from campaign_workers.domain.errors import NotFound, RetryLater
from campaign_workers.ports.system import Secrets

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@attrs.define
class TokenSource:
    """Reads the token from the secret `name` once, and anew when it is refused."""

    secrets: Secrets
    name: str
    _token: str | None = attrs.field(default=None, init=False, repr=False)
    _turn: Lock = attrs.field(factory=Lock, init=False, repr=False)

    @property
    def known(self) -> str | None:
        """The token, None if it was not read yet."""
        return self._token

    def current(self) -> str:
        """The token.

        Raises:
            RetryLater: it cannot be had.
        """
        with self._turn:
            if self._token is None:
                self._token = self._read()
            return self._token

    def renewed(self, refused: str) -> str:
        """The token in place of one that was refused; of many who ask at once one reads it.

        Raises:
            RetryLater: it cannot be had.
        """
        with self._turn:
            if self._token in {None, refused}:
                self._token = self._read()
            return self._token or ""

    def _read(self) -> str:
        try:
            token = self.secrets.read(self.name).strip()
        except NotFound:
            # To a caller "not found" would mean the campaign that was asked for.
            raise RetryLater(f"there is no secret {self.name}") from None
        if not _TOKEN.fullmatch(token):
            # A library that cannot put it into a header would repeat it in its error.
            raise RetryLater(f"the secret {self.name} is no token")
        return token
