"""Secrets in Secrets Manager."""

from typing import Any, Final

import attrs
from botocore.exceptions import ClientError

from campaign_workers.adapters.aws.errors import error_code, translate_errors
from campaign_workers.domain.errors import Fatal, NotFound, PermanentFailure
from campaign_workers.domain.storage.layout import validate_object_key

_NONE: Final = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""There is no such secret, or it is marked for deletion."""


@attrs.frozen
class SecretsManagerSecrets:
    """Serves `Secrets`: the text of the secret `prefix` + name, as it is at each call.

    Nothing is kept here: whoever is refused with an old token finds the new one by reading again.
    """

    client: Any = attrs.field(repr=False)
    prefix: str = attrs.field(kw_only=True)

    def read(self, name: str) -> str:
        """See `Secrets.read`.

        Raises:
            PermanentFailure: the secret is bytes, not a text.
        """
        full_name = self.prefix + _checked(name)
        with translate_errors("secretsmanager", full_name):
            answer = self._answer(full_name)
        if (secret := answer.get("SecretString")) is None:
            raise PermanentFailure(f"the secret {full_name} is no text; store it as one")
        return str(secret)

    def _answer(self, full_name: str) -> dict[str, Any]:
        try:
            return dict(self.client.get_secret_value(SecretId=full_name))
        except ClientError as error:
            if error_code(error) not in _NONE:
                raise
            raise NotFound(f"no secret {full_name}") from None


def _checked(name: str) -> str:
    try:
        return validate_object_key(name)
    except Fatal:
        raise NotFound(f"no secret can be called {name!r}") from None
