"""Client of Slack, for the operation documented in `schemas/openapi/slack.yaml`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.requests import (
    AttemptFailed,
    ServiceRequest,
    ServiceResponse,
)
from campaign_workers.adapters.http._client.response_policy import (
    UNAUTHORIZED,
    parse_json,
    raise_if_retryable,
    retry_after,
    safe_name,
)

TOKEN_REFUSED: Final = frozenset(
    {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}
)
NO_ACCESS: Final = TOKEN_REFUSED | {"ekm_access_denied", "missing_scope", "no_permission"}
FAILED: Final = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)
BUSY: Final = frozenset({"message_limit_exceeded", "rate_limited", "ratelimited"})


class SlackPolicy:
    """Slack answers nearly every request with status 200; the body has the error."""

    def refuses_token(self, response: ServiceResponse) -> bool:
        """See `ResponsePolicy.refuses_token`."""
        return response.status == UNAUTHORIZED or _error_name(response.body) in TOKEN_REFUSED

    def parse(self, request: ServiceRequest, response: ServiceResponse) -> Any:
        """See `ResponsePolicy.parse`."""
        raise_if_retryable(response)
        content = parse_json(response.body)
        if not isinstance(content, Mapping) or not isinstance(content.get("ok"), bool):
            raise request.malformed_response("ok", "missing")
        if content["ok"]:
            return content
        error = safe_name(content.get("error")) or "no reason given"
        if error in BUSY:
            raise AttemptFailed(error, unknown=False, retry_after=retry_after(response))
        if error in FAILED:
            raise AttemptFailed(error, unknown=True)
        if error in NO_ACCESS:
            raise request.failure(f"the token is refused, {error}", unknown=False)
        raise request.permanent_failure(f"refused for good, {error}")


class SlackChat(BlockingClient):
    """Serves `Chat` through Slack's web API."""

    name = "slack"
    policy = SlackPolicy()

    def post(self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = ()) -> None:
        """See `Chat.post`."""
        body: dict[str, Any] = {"channel": channel, "text": text}
        if blocks:
            body["blocks"] = [dict(block) for block in blocks]
        self._send(self._post("/chat.postMessage", body))


def _error_name(body: bytes) -> str | None:
    try:
        content = parse_json(body)
    except AttemptFailed:
        return None
    return safe_name(content.get("error")) if isinstance(content, Mapping) else None
