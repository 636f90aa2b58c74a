"""Keys of several parts, none of which can be mistaken for another."""

from functools import lru_cache
from urllib.parse import quote


def key_of(*parts: str) -> str:
    """One key of these parts; all but the last are quoted, so that the parts stay apart."""
    return f"{prefix_of(*parts[:-1])}{parts[-1]}"


@lru_cache(maxsize=1024)
def prefix_of(*parts: str) -> str:
    """What every key that begins with these parts begins with, and no other key."""
    return "".join(f"{quote(part, safe='')}/" for part in parts)


def first_of(key: str) -> str:
    """The first part of a key, as `prefix_of` gives it."""
    return key[: key.index("/") + 1]
