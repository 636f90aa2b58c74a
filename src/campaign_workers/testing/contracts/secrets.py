"""Contracts of `Secrets`, and of stores that secrets can be written to."""

from collections.abc import Callable
from typing import Final, Protocol

import pytest

from campaign_workers.domain.errors import CampaignError, NotFound, RetryLater
from campaign_workers.ports.system import Secrets
from campaign_workers.testing.contracts._base import Contract, Outage

Plant = Callable[[str, str], object]
"""Writes a secret (name, secret) directly to the backend, without the adapter."""

Peek = Callable[[str], str | None]
"""Reads a secret by name directly from the backend, without the adapter; None if missing."""

NAME: Final = "campaigns/world-tour_2026.1/lottery-seed"
SEED: Final = "5eed-of-this-campaign"
SECRETS: Final = (
    SEED,
    " blanks ",
    "Zoë 🎫",
    '{"json": "\\n"}',
    "two\nlines",
    "tail\n\n",
    "a\r\nb",
)
REFUSED_NAMES: Final = ("", "/", "../lottery-seed", "a/../b", "campaigns//x", "\ud800")


class SecretsContract(Contract):
    """Fixtures: `secrets`; `plant`; `outage`."""

    @pytest.mark.parametrize("secret", SECRETS, ids=ascii)
    def test_a_secret_is_read_unchanged(self, secrets: Secrets, plant: Plant, secret: str) -> None:
        """Blanks and line endings are kept, and the current value is returned."""
        plant(NAME, "before")
        plant(NAME, secret)
        plant("other", "another")
        assert (secrets.read(NAME), secrets.read("other")) == (secret, "another")

    @pytest.mark.parametrize("name", ["gone", "campaigns", f"{NAME}/x", f"{NAME}2", *REFUSED_NAMES])
    def test_missing_names_are_not_found(self, secrets: Secrets, plant: Plant, name: str) -> None:
        """Partial names and path tricks find no secret, and the error quotes none."""
        plant(NAME, SEED)
        with pytest.raises(NotFound) as caught:
            secrets.read(name)
        assert SEED not in f"{caught.value!r}{caught.value}"

    def test_secrets_are_not_in_the_repr(self, secrets: Secrets, plant: Plant) -> None:
        """The repr of a store shows no secret."""
        plant(NAME, SEED)
        assert secrets.read(NAME) == SEED
        assert SEED not in f"{secrets!r}{secrets}"

    def test_an_outage_raises_retry_later(
        self, secrets: Secrets, plant: Plant, outage: Outage
    ) -> None:
        """A failing store raises `RetryLater`, never `NotFound`."""
        plant(NAME, SEED)
        with outage(), pytest.raises(RetryLater):
            secrets.read(NAME)
        assert secrets.read(NAME) == SEED


class WritableSecrets(Secrets, Protocol):
    """A writable store, which the embedded profiles need."""

    def write(self, name: str, secret: str) -> None:
        """Write a secret atomically."""
        ...


class WritableSecretsContract(Contract):
    """Fixtures: `secrets`; `peek`."""

    @pytest.mark.parametrize("secret", SECRETS, ids=ascii)
    def test_a_secret_is_written_unchanged(
        self, secrets: WritableSecrets, peek: Peek, secret: str
    ) -> None:
        """A write replaces the secret of this name only."""
        secrets.write("other", "another")
        secrets.write(NAME, "before")
        secrets.write(NAME, secret)
        assert (secrets.read(NAME), peek(NAME), peek("other")) == (secret, secret, "another")

    @pytest.mark.parametrize("name", REFUSED_NAMES, ids=ascii)
    def test_a_name_cannot_leave_the_store(self, secrets: WritableSecrets, name: str) -> None:
        """Nothing is written outside the store, and the error does not quote the secret."""
        with pytest.raises(CampaignError) as caught:
            secrets.write(name, SEED)
        assert SEED not in str(caught.value)
