"""What an answer means: done, try again, refused, or not what the documents say."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

from campaign_workers.adapters.http._client.requests import Answer, Call, TryFailed
from campaign_workers.domain.errors import CampaignError, NotFound

UNAUTHORIZED: Final = 401
PROBLEM: Final = "application/problem+json"
NOT_CARRIED_OUT: Final = frozenset({429, 503})
"""Statuses that say that nothing was done, and that it may be tried again."""

_SAFE_NAME: Final = re.compile(r"[a-z][a-z_-]{0,63}")
_CONFLICT: Final = 409
_REFUSED: Final = 422
_KEY_REUSED: Final = (_CONFLICT, "key-reused")
_NO_ACCESS: Final = frozenset({UNAUTHORIZED, 403})


class Reading(Protocol):
    """How a service's answers are understood."""

    def refuses_token(self, answer: Answer) -> bool:
        """Whether the token is wrong, so that a new one may help.

        Raises: nothing.
        """
        ...

    def content(self, call: Call, answer: Answer) -> Any:
        """What the answer says, if the call was carried out.

        Raises:
            TryFailed: it was not, or nobody knows; it may be tried again.
            CampaignError: it was not, and trying again at once cannot help.
        """
        ...


class ProblemReading:
    """Statuses and problem documents, as all of our documents but Slack's have them.

    That a request is refused for good, only 422 and a reused key say. Any other unforeseen status
    tells of a wrong address, token or version, which is no verdict on the request: the work waits.
    A conflict of another kind is one with an earlier try, of which nobody knows what became.
    """

    def refuses_token(self, answer: Answer) -> bool:
        """See `Reading.refuses_token`."""
        return answer.status == UNAUTHORIZED

    def content(self, call: Call, answer: Answer) -> Any:
        """See `Reading.content`."""
        if answer.status == call.expects:
            return decoded(answer.body) if answer.body else None
        raise_if_another_try_may_help(answer)
        raise _verdict(call, answer)


def raise_if_another_try_may_help(answer: Answer) -> None:
    """Turn 429 and 5xx into `TryFailed`.

    Raises:
        TryFailed: it is one of them.
    """
    unknown = answer.status not in NOT_CARRIED_OUT
    if answer.status >= 500 or not unknown:
        raise TryFailed(f"status {answer.status}", unknown=unknown, wait=asked_wait(answer))


def asked_wait(answer: Answer) -> float | None:
    """The seconds of `Retry-After`, which tells them or the time; None if there are none."""
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    try:
        until = parsedate_to_datetime(asked).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def decoded(body: bytes) -> Any:
    """The JSON of an answer.

    Raises:
        TryFailed: it is none; something between the service and us has spoilt it.
    """
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise TryFailed("the answer is no JSON", unknown=True) from None


def safe_name(value: object) -> str | None:
    """A name that a service gave, if it is of the form that names have and values have not."""
    return value if isinstance(value, str) and _SAFE_NAME.fullmatch(value) else None


def _verdict(call: Call, answer: Answer) -> CampaignError:
    name = _problem(answer)
    said = f"status {answer.status}, {name or 'for a reason that it does not name'}"
    reused = call.takes_key and (answer.status, name) == _KEY_REUSED
    if reused or answer.status == _REFUSED:
        return call.refused(f"refused for good, {said}")
    if answer.status in _NO_ACCESS:
        return call.failed(f"our token is refused, {said}", unknown=False)
    if (answer.status, name) == (404, "not-found"):
        return NotFound(call.told("not found"))
    unknown = 200 <= answer.status < 300 or answer.status == _CONFLICT
    return call.failed(f"an answer that is not documented, {said}", unknown=unknown)


def _problem(answer: Answer) -> str | None:
    """The name of the problem that a refusal tells, None if it tells none.

    Raises:
        TryFailed: it tells one that something on the way has spoilt.
    """
    if not answer.headers.get("content-type", "").lower().startswith(PROBLEM):
        return None
    try:
        problem = decoded(answer.body)
    except TryFailed as spoilt:
        raise TryFailed(spoilt.problem, unknown=False) from None
    return safe_name(problem.get("type")) if isinstance(problem, Mapping) else None


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")
