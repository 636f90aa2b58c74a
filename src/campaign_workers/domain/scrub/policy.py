"""Shell wildcards (`*`, `?`, `[seq]`, `[!seq]`) as regular expressions that Polars understands.

They match what `fnmatch.fnmatchcase` matches. Its own translation uses atomic groups, which
linear-time engines lack, so the one here spells sets out as ranges of characters.

Block- and allowlists as people keep them: one entry a line, `#` comments.

What a campaign's scrub takes from its lists and options.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

import attrs

from campaign_workers.domain.contact.emails import parse_email
from campaign_workers.domain.errors import BadInput

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


LARGEST: Final = 64 * 1024 * 1024
"""Bytes that a list may have, unless somebody says otherwise."""

_COMMENT: Final = re.compile(r"(^|\s)#.*")


def list_entries(data: bytes, *, file: str, largest: int = LARGEST) -> dict[int, str]:
    """The entries of a list in UTF-8 by the numbers of their lines; blank lines are none.

    A `#` begins a comment at the start of a line or after a blank: addresses may hold one.

    Raises:
        BadInput: it is no UTF-8, or of more than `largest` bytes.
    """
    if len(data) > largest:
        raise BadInput(f"a list of more than {largest} bytes", file=file)
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as why:
        line = data.count(b"\n", 0, why.start) + 1
        raise BadInput("not UTF-8", file=file, line=line) from None
    entries = {number: _COMMENT.sub("", line).strip() for number, line in enumerate(lines, 1)}
    return {number: entry for number, entry in entries.items() if entry}


def allowed_patterns(data: bytes, *, file: str, largest: int = LARGEST) -> tuple[str, ...]:
    """The patterns of an allowlist.

    Raises:
        BadInput: as `list_entries`, or a pattern without `@`, which would let whole domains in.
    """
    entries = list_entries(data, file=file, largest=largest)
    for line, pattern in entries.items():
        if "@" not in pattern:
            raise BadInput(
                "a pattern without @",
                file=file,
                line=line,
                remedy="write whole addresses, such as *@partner.example",
            )
    return tuple(entries.values())


_LONGEST_PATTERN: Final = 320
"""Characters; no address is longer."""

# An engine in linear time compiles a regular expression whole, and refuses one of 10 MiB.
_PATTERNS_AT_ONCE: Final = 25

_WILDCARDS: Final = frozenset("*?[")


def _several(entries: Iterable[str]) -> Iterable[str]:
    # One text is a sequence of its characters, a list that would block nobody.
    if isinstance(entries, str):
        raise BadInput("one text instead of several", remedy="give a set or a list of texts")
    return entries


def _listed(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(entry.strip().lower() for entry in _several(entries)) - {""}


def _domains(entries: Iterable[str]) -> frozenset[str]:
    """Domains as addresses spell them: without `@` or outer dots, and each also in ASCII."""
    plain = {entry.strip("@.") for entry in _listed(entries)} - {""}
    foreign = (domain for domain in plain if not domain.isascii())
    return frozenset(plain.union(parse_email(f"a@{domain}")[1] for domain in foreign))


def _patterns(entries: Iterable[str]) -> tuple[str, ...]:
    return tuple(entry.strip().lower() for entry in _several(entries))


@attrs.frozen
class ScrubPolicy:
    """Lists and options of one campaign; the lists are trimmed and lower-cased.

    Attributes:
        blocked_emails: addresses.
        blocked_domains: domains, sub-domains included. The list of disposable domains is not
            part of it by itself: the caller adds it.
        allowed_patterns: shell wildcards over whole addresses, which no list can block.
        allow_intl_phones: whether numbers outside country code 1 are welcome.
        lottery_seed: the campaign's secret, which places fans inside their band.

    Raises:
        BadInput: a pattern has no `@`, and would let whole domains in by accident, or is longer
            than any address; or a list is one text.
    """

    blocked_emails: frozenset[str] = attrs.field(default=frozenset(), converter=_listed, repr=False)
    blocked_domains: frozenset[str] = attrs.field(
        default=frozenset(), converter=_domains, repr=False
    )
    allowed_patterns: tuple[str, ...] = attrs.field(default=(), converter=_patterns, repr=False)
    allow_intl_phones: bool = False
    lottery_seed: str = attrs.field(default="", repr=False)

    @allowed_patterns.validator
    def _names_an_address(self, _: object, patterns: tuple[str, ...]) -> None:
        for number, pattern in enumerate(patterns, 1):
            if "@" not in pattern:
                raise BadInput(
                    f"allowlist pattern {number} has no @",
                    field="allowed_patterns",
                    remedy="write whole addresses, such as *@partner.example",
                )
            if len(pattern) > _LONGEST_PATTERN:
                raise BadInput(
                    f"allowlist pattern {number} has more than {_LONGEST_PATTERN} characters",
                    field="allowed_patterns",
                )

    @cached_property
    def allowed_addresses(self) -> frozenset[str]:
        """The patterns that have no wildcard."""
        return frozenset(self.allowed_patterns).difference(self._with_wildcards)

    @cached_property
    def allowed_regexes(self) -> tuple[str, ...]:
        """Regular expressions for all the others, each for as many as one can hold."""
        patterns = self._with_wildcards
        return tuple(
            "|".join(map(regex_of, patterns[start : start + _PATTERNS_AT_ONCE]))
            for start in range(0, len(patterns), _PATTERNS_AT_ONCE)
        )

    @cached_property
    def _with_wildcards(self) -> list[str]:
        return [pattern for pattern in self.allowed_patterns if not _WILDCARDS.isdisjoint(pattern)]

    @cached_property
    def domains_by_labels(self) -> Mapping[int, tuple[str, ...]]:
        """The blocked domains by how many labels they have."""
        by_labels = defaultdict(list)
        for domain in self.blocked_domains:
            by_labels[domain.count(".") + 1].append(domain)
        return {labels: tuple(domains) for labels, domains in by_labels.items()}
