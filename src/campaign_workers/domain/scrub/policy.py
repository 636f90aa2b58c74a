"""The lists and options of one campaign's scrub.

Block- and allowlists have one entry a line and `#` comments. An allowlist holds shell wildcards
(`*`, `?`, `[seq]`, `[!seq]`), which match what `fnmatch.fnmatchcase` matches. They are translated
to regular expressions for Polars, because `fnmatch.translate` uses atomic groups, which engines
that run in linear time lack.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

import attrs

from campaign_workers.domain.contact.details import parse_email
from campaign_workers.domain.errors import BadInput

MATCHES_NOTHING: Final = r"[^\s\S]"
MATCHES_ANYTHING: Final = r"[\s\S]"
_REMEDY: Final = "write whole addresses, such as *@partner.example"


def translate_wildcards(pattern: str) -> str:
    """Return a regular expression that matches the same whole texts as the shell `pattern`."""
    parts = []
    at = 0
    while at < len(pattern):
        end = _end_of_set(pattern, at) if pattern[at] == "[" else None
        if end is not None:
            parts.append(_translate_set(pattern[at + 1 : end]))
            at = end
        else:
            parts.append(_WILDCARDS.get(pattern[at]) or _literal(pattern[at]))
        at += 1
    return f"^(?:{''.join(parts)})$"


_WILDCARDS: Final = {"*": f"{MATCHES_ANYTHING}*", "?": MATCHES_ANYTHING}


def _literal(character: str) -> str:
    return rf"\x{{{ord(character):x}}}"


def _end_of_set(pattern: str, start: int) -> int | None:
    # A `]` right after the opening bracket, or after its `!`, is a member of the set.
    first = start + 2 if pattern[start + 1 : start + 2] == "!" else start + 1
    end = pattern.find("]", first + 1)
    return end if end > 0 else None


def _translate_set(content: str) -> str:
    is_negated, members = (True, content[1:]) if content[0] == "!" else (False, content)
    ranges = "".join(f"{_literal(low)}-{_literal(high)}" for low, high in _ranges(members))
    if not ranges:
        return MATCHES_ANYTHING if is_negated else MATCHES_NOTHING
    return f"[{'^' if is_negated else ''}{ranges}]"


def _ranges(members: str) -> list[tuple[str, str]]:
    """Return pairs of bounds; a range with its bounds in the wrong order matches nothing."""
    ranges = []
    at = 0
    while at < len(members):
        low = high = members[at]
        if members[at + 1 : at + 2] == "-" and at + 2 < len(members):
            high = members[at + 2]
            at += 2
        if low <= high:
            ranges.append((low, high))
        at += 1
    return ranges


MAX_LIST_BYTES: Final = 64 * 1024 * 1024
"""Default limit of the size of a list."""

_COMMENT: Final = re.compile(r"(^|\s)#.*")


def parse_list(data: bytes, *, file: str, max_bytes: int = MAX_LIST_BYTES) -> dict[int, str]:
    """Return the entries of a list by line number, without blank lines and comments.

    A `#` begins a comment only at the start of a line or after white space, because addresses may
    contain one.

    Raises:
        BadInput: the list is not UTF-8, or has more than `max_bytes` bytes.
    """
    if len(data) > max_bytes:
        raise BadInput(
            f"expected at most {max_bytes} bytes, got more", file=file, remedy="shorten the list"
        )
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            "expected UTF-8, got other bytes", file=file, line=line, remedy="save it as UTF-8"
        ) from None
    entries = {number: _COMMENT.sub("", line).strip() for number, line in enumerate(lines, 1)}
    return {number: entry for number, entry in entries.items() if entry}


def parse_allowlist(data: bytes, *, file: str, max_bytes: int = MAX_LIST_BYTES) -> tuple[str, ...]:
    """Return the patterns of an allowlist.

    Raises:
        BadInput: as `parse_list`, or a pattern has no `@` and would allow whole domains.
    """
    entries = parse_list(data, file=file, max_bytes=max_bytes)
    for line, pattern in entries.items():
        if "@" not in pattern:
            raise BadInput("expected a pattern with an @", file=file, line=line, remedy=_REMEDY)
    return tuple(entries.values())


_MAX_PATTERN_LENGTH: Final = 320
"""Characters; no address is longer."""

# The engine compiles a regular expression as a whole and refuses one of more than 10 MiB.
_PATTERNS_PER_REGEX: Final = 25

_WILDCARD_CHARACTERS: Final = frozenset("*?[")


def _normalise_entries(entries: Iterable[str], field: str) -> list[str]:
    # A bare string would be split into characters and silently block nothing.
    if isinstance(entries, str):
        raise BadInput(
            "expected a collection of strings, got a string", field=field, remedy="give a set"
        )
    return [entry.strip().lower() for entry in entries]


def _normalise_emails(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(_normalise_entries(entries, "blocked_emails")) - {""}


def _normalise_domains(entries: Iterable[str]) -> frozenset[str]:
    """Return domains as addresses spell them, without `@` and outer dots, each also in ASCII."""
    listed = _normalise_entries(entries, "blocked_domains")
    domains = {entry.strip("@.") for entry in listed} - {""}
    international = (domain for domain in domains if not domain.isascii())
    return frozenset(domains.union(parse_email(f"a@{domain}")[1] for domain in international))


def _normalise_patterns(entries: Iterable[str]) -> tuple[str, ...]:
    return tuple(_normalise_entries(entries, "allowed_patterns"))


@attrs.frozen
class ScrubPolicy:
    """Lists and options of one campaign; list entries are stripped and lower-cased.

    Attributes:
        blocked_emails: addresses.
        blocked_domains: domains; each blocks its sub-domains too. Add the list of disposable
            domains yourself, as the worker does.
        allowed_patterns: shell wildcards for whole addresses; a match overrides both blocklists.
        allow_intl_phones: whether numbers outside country code 1 are allowed.
        lottery_seed: the campaign's secret, which places fans inside their band.

    Raises:
        BadInput: a pattern has no `@` and would allow whole domains, or is longer than any
            address; or a list is a single string.

    Example:
        >>> policy = ScrubPolicy(blocked_domains={"@Spam.example"}, allowed_patterns=["vip*@*"])
        >>> sorted(policy.blocked_domains)
        ['spam.example']
    """

    blocked_emails: frozenset[str] = attrs.field(
        default=frozenset(), converter=_normalise_emails, repr=False
    )
    blocked_domains: frozenset[str] = attrs.field(
        default=frozenset(), converter=_normalise_domains, repr=False
    )
    allowed_patterns: tuple[str, ...] = attrs.field(
        default=(), converter=_normalise_patterns, repr=False
    )
    allow_intl_phones: bool = False
    lottery_seed: str = attrs.field(default="", repr=False)

    @allowed_patterns.validator
    def _check_patterns(self, _: object, patterns: tuple[str, ...]) -> None:
        for number, pattern in enumerate(patterns, 1):
            if "@" not in pattern:
                raise BadInput(
                    f"expected an @ in pattern {number}", field="allowed_patterns", remedy=_REMEDY
                )
            if len(pattern) > _MAX_PATTERN_LENGTH:
                raise BadInput(
                    f"expected at most {_MAX_PATTERN_LENGTH} characters, "
                    f"pattern {number} has {len(pattern)}",
                    field="allowed_patterns",
                )

    @cached_property
    def allowed_addresses(self) -> frozenset[str]:
        """The patterns without wildcards."""
        return frozenset(self.allowed_patterns).difference(self._with_wildcards)

    @cached_property
    def allowed_regexes(self) -> tuple[str, ...]:
        """Regular expressions for the patterns with wildcards, several patterns in each."""
        patterns = self._with_wildcards
        return tuple(
            "|".join(map(translate_wildcards, patterns[start : start + _PATTERNS_PER_REGEX]))
            for start in range(0, len(patterns), _PATTERNS_PER_REGEX)
        )

    @cached_property
    def _with_wildcards(self) -> list[str]:
        return [
            pattern
            for pattern in self.allowed_patterns
            if not _WILDCARD_CHARACTERS.isdisjoint(pattern)
        ]

    @cached_property
    def domains_by_labels(self) -> Mapping[int, tuple[str, ...]]:
        """The blocked domains by their number of labels."""
        by_labels = defaultdict(list)
        for domain in self.blocked_domains:
            by_labels[domain.count(".") + 1].append(domain)
        return {labels: tuple(domains) for labels, domains in by_labels.items()}
