"""Secrets that are renewed, deleted, or no texts."""

from collections.abc import Iterator
from functools import partial

import pytest

from campaign_workers.adapters.aws.secrets_manager import SecretsManagerSecrets
from campaign_workers.adapters.http._client.tokens import TokenSource
from campaign_workers.domain.errors import NotFound, PermanentFailure
from tests.servers.aws import FreshAws, OverAws, aws_client


class TestOverTheWire(OverAws):
    """In a store."""

    @pytest.fixture
    def name(self, aws: FreshAws) -> Iterator[str]:
        manager, name = aws_client("secretsmanager"), aws.name()
        manager.create_secret(Name=f"{name}/token", SecretString="old-token")
        yield name
        manager.delete_secret(SecretId=f"{name}/token", ForceDeleteWithoutRecovery=True)

    @pytest.fixture
    def secrets(self, aws: FreshAws, name: str) -> SecretsManagerSecrets:
        return SecretsManagerSecrets(aws.client("secretsmanager"), prefix=f"{name}/")

    def test_a_token_that_was_renewed_is_found(
        self, secrets: SecretsManagerSecrets, name: str
    ) -> None:
        """Nothing is kept that a service refused."""
        tokens = TokenSource(secrets, "token")
        assert tokens.current() == "old-token"
        put = partial(aws_client("secretsmanager").put_secret_value, SecretId=f"{name}/token")
        put(SecretString="new-token")
        assert tokens.renew("old-token") == "new-token"

    def test_a_secret_that_is_to_be_deleted_is_not_found(
        self, secrets: SecretsManagerSecrets, name: str
    ) -> None:
        """A deleted secret that is restored can be read again."""
        manager = aws_client("secretsmanager")
        manager.delete_secret(SecretId=f"{name}/token", RecoveryWindowInDays=7)
        with pytest.raises(NotFound, match=f"{name}/token"):
            secrets.read("token")
        manager.restore_secret(SecretId=f"{name}/token")
        assert secrets.read("token") == "old-token"

    def test_bytes_are_no_secret(self, secrets: SecretsManagerSecrets, name: str) -> None:
        """The error says what to do, and shows nothing of them."""
        manager = aws_client("secretsmanager")
        manager.put_secret_value(SecretId=f"{name}/token", SecretBinary=b"5eed")
        with pytest.raises(PermanentFailure, match="store a text") as caught:
            secrets.read("token")
        assert "5eed" not in str(caught.value)
