"""Slack messages of Block Kit blocks, kept within its limits."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

Block = Mapping[str, Any]

MAX_HEADER: Final = 150
MAX_SECTION: Final = 3000
MAX_FIELD: Final = 2000
MAX_FIELDS: Final = 10
MAX_NAME: Final = 120

_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@attrs.frozen(kw_only=True)
class SlackMessage:
    """A message: its blocks, and the text shown in notifications."""

    text: str
    blocks: tuple[Block, ...]


def escape(name: str, limit: int = MAX_NAME) -> str:
    """Escape a name for mrkdwn: one line, no mention or link, at most `limit` characters."""
    words = " ".join(name.split())
    whole = "".join(_ESCAPED.get(character, character) for character in words)
    if len(whole) <= limit:
        return whole
    pieces = [_ESCAPED.get(character, character) for character in words[:limit]]
    while sum(map(len, pieces)) >= limit:
        pieces.pop()
    return f"{''.join(pieces)}…"


def header(title: str) -> Block:
    """Build a heading; `title` is escaped here."""
    text = {"type": "plain_text", "text": escape(title, MAX_HEADER), "emoji": False}
    return {"type": "header", "text": text}


def section(lines: Iterable[str]) -> Block:
    """Build a paragraph of escaped lines; lines that do not fit are left out."""
    return {"type": "section", "text": _mrkdwn(lines, MAX_SECTION)}


def fields(texts: Iterable[str]) -> Block:
    """Build two columns of at most ten escaped texts."""
    shown = list(texts)[:MAX_FIELDS]
    return {"type": "section", "fields": [_mrkdwn([text], MAX_FIELD) for text in shown]}


def _mrkdwn(lines: Iterable[str], limit: int) -> Block:
    kept: list[str] = []
    for line in lines:
        if len("\n".join([*kept, line])) > limit:
            break
        kept.append(line)
    return {"type": "mrkdwn", "text": "\n".join(kept)}
