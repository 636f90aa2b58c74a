"""Slack, as far as `schemas/openapi/slack.yaml` documents it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from campaign_workers.adapters.http._client.client import BlockingClient
from campaign_workers.adapters.http._client.requests import Answer, Call, TryFailed
from campaign_workers.adapters.http._client.response_policy import (
    UNAUTHORIZED,
    asked_wait,
    decoded,
    raise_if_another_try_may_help,
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


class SlackReading:
    """Slack answers 200 to nearly everything, and says in the body what it means."""

    def refuses_token(self, answer: Answer) -> bool:
        """See `Reading.refuses_token`."""
        return answer.status == UNAUTHORIZED or _error(answer.body) in TOKEN_REFUSED

    def content(self, call: Call, answer: Answer) -> Any:
        """See `Reading.content`."""
        raise_if_another_try_may_help(answer)
        content = decoded(answer.body)
        if not isinstance(content, Mapping) or not isinstance(content.get("ok"), bool):
            raise call.misread("ok", "missing")
        if content["ok"]:
            return content
        error = safe_name(content.get("error")) or "for a reason that it does not name"
        if error in BUSY:
            raise TryFailed(error, unknown=False, wait=asked_wait(answer))
        if error in FAILED:
            raise TryFailed(error, unknown=True)
        if error in NO_ACCESS:
            raise call.failed(f"our token is refused, {error}", unknown=False)
        raise call.refused(f"refused for good, {error}")


class SlackChat(BlockingClient):
    """Serves `Chat` through Slack's web API."""

    name = "slack"
    reading = SlackReading()

    def post(self, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = ()) -> None:
        """See `Chat.post`."""
        body: dict[str, Any] = {"channel": channel, "text": text}
        if blocks:
            body["blocks"] = [dict(block) for block in blocks]
        self._sent(self._post("/chat.postMessage", body))


def _error(body: bytes) -> str | None:
    try:
        content = decoded(body)
    except TryFailed:
        return None
    return safe_name(content.get("error")) if isinstance(content, Mapping) else None
