"""What a campaign's scrub takes from its lists and options."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

import attrs

from campaign_workers.domain.emails import read_email
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.scrub.wildcards import regex_of

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
    return frozenset(plain.union(read_email(f"a@{domain}")[1] for domain in foreign))


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
