"""What every store of secrets promises."""

from collections.abc import Callable
from typing import Final, Protocol

import pytest

from campaign_workers.domain.errors import CampaignError, NotFound, RetryLater
from campaign_workers.ports.system import Secrets
from campaign_workers.testing.contracts._base import Contract, Outage

Plant = Callable[[str, str], object]
"""Keeps a secret (name, secret), past the adapter."""

Peek = Callable[[str], str | None]
"""The secret that is kept under a name, past the adapter; None if there is none."""

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
    def test_a_secret_is_read_as_it_is(self, secrets: Secrets, plant: Plant, secret: str) -> None:
        """To the last blank and line end, and as it is by now."""
        plant(NAME, "before")
        plant(NAME, secret)
        plant("other", "another")
        assert (secrets.read(NAME), secrets.read("other")) == (secret, "another")

    @pytest.mark.parametrize("name", ["gone", "campaigns", f"{NAME}/x", f"{NAME}2", *REFUSED_NAMES])
    def test_what_is_not_there_is_not_found(
        self, secrets: Secrets, plant: Plant, name: str
    ) -> None:
        """No part of a name, and no way around, leads to a secret; the error shows none."""
        plant(NAME, SEED)
        with pytest.raises(NotFound) as caught:
            secrets.read(name)
        assert SEED not in f"{caught.value!r}{caught.value}"

    def test_secrets_never_show(self, secrets: Secrets, plant: Plant) -> None:
        """Not in a repr, which goes to logs."""
        plant(NAME, SEED)
        assert secrets.read(NAME) == SEED
        assert SEED not in f"{secrets!r}{secrets}"

    def test_an_outage_asks_for_another_try(
        self, secrets: Secrets, plant: Plant, outage: Outage
    ) -> None:
        """A store that fails never says that there is no such secret."""
        plant(NAME, SEED)
        with outage(), pytest.raises(RetryLater):
            secrets.read(NAME)
        assert secrets.read(NAME) == SEED


class WritableSecrets(Secrets, Protocol):
    """A store that secrets can be written to, as the embedded profiles need it."""

    def write(self, name: str, secret: str) -> None:
        """Keep a secret; a reader finds the old one or the whole new one."""
        ...


class WritableSecretsContract(Contract):
    """Fixtures: `secrets`; `peek`."""

    @pytest.mark.parametrize("secret", SECRETS, ids=ascii)
    def test_a_secret_is_kept_as_it_is(
        self, secrets: WritableSecrets, peek: Peek, secret: str
    ) -> None:
        """In place of what was kept under its name, and of nothing else."""
        secrets.write("other", "another")
        secrets.write(NAME, "before")
        secrets.write(NAME, secret)
        assert (secrets.read(NAME), peek(NAME), peek("other")) == (secret, secret, "another")

    @pytest.mark.parametrize("name", REFUSED_NAMES, ids=ascii)
    def test_a_name_that_leads_away_keeps_nothing(
        self, secrets: WritableSecrets, name: str
    ) -> None:
        """Nothing is written outside of the store, and the error does not show the secret."""
        with pytest.raises(CampaignError) as caught:
            secrets.write(name, SEED)
        assert SEED not in str(caught.value)
