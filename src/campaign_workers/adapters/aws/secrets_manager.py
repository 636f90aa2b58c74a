"""The `Secrets` port on AWS Secrets Manager."""

from typing import Any, Final

import attrs
from botocore.exceptions import ClientError

from campaign_workers.adapters.aws.errors import error_code, translate_errors
from campaign_workers.domain.errors import Fatal, NotFound, PermanentFailure
from campaign_workers.domain.storage.layout import validate_object_key

_MISSING: Final = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
"""The secret does not exist or is scheduled for deletion."""


@attrs.frozen
class SecretsManagerSecrets:
    """Serves `Secrets`: reads the text of the secret `prefix` + name on every call.

    Values are not cached, so that a caller whose token was rotated gets the new one by reading
    again.
    """

    client: Any = attrs.field(repr=False)
    prefix: str = attrs.field(kw_only=True)

    def read(self, name: str) -> str:
        """See `Secrets.read`.

        Raises:
            PermanentFailure: the secret is binary.
        """
        full_name = self.prefix + _validate_name(name)
        with translate_errors("secretsmanager", full_name):
            response = self._get(full_name)
        if (secret := response.get("SecretString")) is None:
            raise PermanentFailure(f"secret {full_name}: expected a text, got bytes; store a text")
        return str(secret)

    def _get(self, full_name: str) -> dict[str, Any]:
        try:
            return dict(self.client.get_secret_value(SecretId=full_name))
        except ClientError as error:
            if error_code(error) not in _MISSING:
                raise
            raise NotFound(f"no secret {full_name}") from None


def _validate_name(name: str) -> str:
    try:
        return validate_object_key(name)
    except Fatal:
        raise NotFound(f"{name!r} is not a valid secret name") from None
