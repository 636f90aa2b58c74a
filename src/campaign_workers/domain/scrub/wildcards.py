"""Shell wildcards (`*`, `?`, `[seq]`, `[!seq]`) as regular expressions that Polars understands.

They match what `fnmatch.fnmatchcase` matches. Its own translation uses atomic groups, which
linear-time engines lack, so the one here spells sets out as ranges of characters.
"""

from typing import Final

NOTHING: Final = r"[^\s\S]"
ANYTHING: Final = r"[\s\S]"


def regex_of(pattern: str) -> str:
    """A regular expression that matches whole texts as the shell `pattern` does."""
    parts = []
    at = 0
    while at < len(pattern):
        end = _end_of_set(pattern, at) if pattern[at] == "[" else None
        if end is not None:
            parts.append(_set(pattern[at + 1 : end]))
            at = end
        else:
            parts.append(_WILD.get(pattern[at]) or _literal(pattern[at]))
        at += 1
    return f"^(?:{''.join(parts)})$"


_WILD: Final = {"*": f"{ANYTHING}*", "?": ANYTHING}


def _literal(character: str) -> str:
    return rf"\x{{{ord(character):x}}}"


def _end_of_set(pattern: str, start: int) -> int | None:
    # A `]` right after the opening bracket, or after its `!`, is a member of the set.
    first = start + 2 if pattern[start + 1 : start + 2] == "!" else start + 1
    end = pattern.find("]", first + 1)
    return end if end > 0 else None


def _set(content: str) -> str:
    negated, members = (True, content[1:]) if content[0] == "!" else (False, content)
    ranges = "".join(f"{_literal(low)}-{_literal(high)}" for low, high in _ranges(members))
    if not ranges:
        return ANYTHING if negated else NOTHING
    return f"[{'^' if negated else ''}{ranges}]"


def _ranges(members: str) -> list[tuple[str, str]]:
    """Pairs of bounds; a range whose bounds are the wrong way round holds nothing."""
    found = []
    at = 0
    while at < len(members):
        low = high = members[at]
        if members[at + 1 : at + 2] == "-" and at + 2 < len(members):
            high = members[at + 2]
            at += 2
        if low <= high:
            found.append((low, high))
        at += 1
    return found
