"""Waves: their configs, when they are ready, and what their executions are called."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

import attrs

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.records.types import iso_utc, parse_json
from campaign_workers.domain.stats.slack import escape
from campaign_workers.domain.storage.layout import parse_wave_config_key, validate_key_id
from campaign_workers.domain.waves.texting_hours import TextingHours

_Read = Callable[[Any], Any]

FAILURE: Final = "lastFailure"
"""Where a config tells why its wave failed; a config that is scheduled again may keep it."""

CONFIG_LIMIT: Final = 256 * 1024
"""Bytes that a config may have."""

_LONGEST_REASON: Final = 1000

# Code dates lie a year around the notify date, and are read again once they are written.
_NOTIFY_YEARS: Final = range(2000, 3000)
_YEARS: Final = range(1900, 9000)
_SLOWEST: Final = 1 / 300
_FASTEST: Final = 1_000_000
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")


@attrs.frozen(kw_only=True)
class WaveConfig:
    """What to send to the registrants of a wave, and when.

    `total_limit` is how many registrants are notified at most; `rate` texts a second, held in
    every one-second window; `begin_date` and `end_date` bound the validity of its codes. `extra`
    has the fields that we do not know, which are written back as they came.
    """

    campaign_id: str
    category_id: int
    total_limit: int
    generate_offer_code: bool
    tied_to_account: bool
    notify_date: datetime
    product_id: str | None = None
    source: str | None = None
    begin_date: datetime | None = None
    end_date: datetime | None = None
    rate: float | None = None
    texting_hours: TextingHours | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    @classmethod
    def read(cls, document: bytes | Mapping[str, Any], *, file: str) -> Self:
        """Read a config, from JSON in UTF-8 or already decoded; `file` names it in errors.

        Raises:
            BadInput: it is no JSON object, or a field is missing or wrong; names file and field.
        """
        raw = _decoded(document, file) if isinstance(document, bytes) else document
        if not isinstance(raw, Mapping):
            raise BadInput("not a JSON object", file=file)
        values = {attribute: _field(raw, attribute, file) for attribute in _FIELDS}
        extra = {name: value for name, value in raw.items() if name not in _KNOWN}
        config = cls(**values, extra=extra)
        if config.begin_date and config.end_date and config.end_date <= config.begin_date:
            raise BadInput("not after beginDate", file=file, field="endDate")
        return config

    def wire(self) -> dict[str, Any]:
        """The config as a JSON object: known fields in their order, then the others by name."""
        known = {_FIELDS[name][0]: _written(getattr(self, name)) for name in _FIELDS}
        present = {name: value for name, value in known.items() if value is not None}
        return present | {name: self.extra[name] for name in sorted(self.extra)}

    def json(self) -> bytes:
        """The config as a file; equal configs give equal bytes."""
        return f"{json.dumps(self.wire(), indent=2, ensure_ascii=False)}\n".encode()

    def with_code_dates(self) -> Self:
        """The config with the validity of its codes: from a day before to a year after notifying.

        Dates that the config gives already stay.
        """
        return attrs.evolve(
            self,
            begin_date=self.begin_date or self.notify_date - timedelta(days=1),
            end_date=self.end_date or _a_year_after(self.notify_date),
        )

    def is_ready(self, now: datetime) -> bool:
        """Whether it is time to notify."""
        return self.notify_date <= now


def execution_name(config_key: str, etag: str) -> str:
    """The name of the execution for one version of one config, the same at every tick.

    At most 57 characters of letters, digits, `-` and `_`: other characters of the wave become
    `-`, and the digest keeps names apart.

    Raises:
        BadInput: the key is not that of a wave config.
    """
    wave, _ = parse_wave_config_key(config_key)
    digest = hashlib.sha256(f"{config_key}:{etag}".encode()).hexdigest()
    return f"{_NOT_IN_NAMES.sub('-', wave[:40])}-{digest[:16]}"


def version_of(document: bytes) -> str:
    """What tells one version of a config from another: 16 hex digits of SHA-256."""
    return hashlib.sha256(document).hexdigest()[:16]


def with_failure(document: bytes, reason: str) -> bytes:
    """A config with the reason for which its wave failed; what is no JSON object stays as it is."""
    try:
        raw = _decoded(document, "config")
    except BadInput:
        return document
    if not isinstance(raw, dict):
        return document
    return f"{json.dumps(raw | {FAILURE: reason}, indent=2, ensure_ascii=False)}\n".encode()


def failure_of(document: bytes) -> str:
    """Why the wave of a config in `failed/` failed, as far as the config tells."""
    try:
        return str(_decoded(document, "config").get(FAILURE, "no reason given"))
    except (AttributeError, BadInput):
        return "its config cannot be read"


def failure_alert(wave: str, document: bytes, counts: Mapping[str, int]) -> str:
    """What people are told of a wave that failed, in Slack's notation."""
    figures = (("ok", "notified"), ("failed", "failed"), ("unsettled", "without an outcome"))
    said = ", ".join(f"{counts.get(name, 0)} {words}" for name, words in figures)
    reason = escape(failure_of(document), _LONGEST_REASON)
    return f"*Wave failed:* {escape(wave)}\n{reason}\n{said}"


def _decoded(document: bytes, file: str) -> Any:
    if len(document) > CONFIG_LIMIT:
        raise BadInput(f"more than {CONFIG_LIMIT} bytes", file=file)
    try:
        return parse_json(document.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadInput("not JSON in UTF-8", file=file) from None


def _field(raw: Mapping[str, Any], attribute: str, file: str) -> Any:
    name, required, read = _FIELDS[attribute]
    value = raw.get(name)
    if value is None:
        if required:
            raise BadInput("missing", file=file, field=name)
        return None
    try:
        return read(value)
    except BadInput as why:
        raise why.within(file) from None
    except ValueError as why:
        raise BadInput(str(why), file=file, field=name) from None


def _id(value: object) -> str:
    try:
        return validate_key_id(value, "campaignId")
    except BadInput as why:
        raise ValueError(why.problem) from None


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("not a whole number")


def _count(value: object) -> int:
    if (count := _whole(value)) >= 0:
        return count
    raise ValueError("below zero")


def _category(value: object) -> int:
    if -(2**53) < (category := _whole(value)) < 2**53:
        return category
    raise ValueError("not within 2^53")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("neither true nor false")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("not a text")


def _moment(value: object, years: range = _YEARS) -> datetime:
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]
        utc = moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        raise ValueError("not an ISO-8601 date and time") from None
    if utc is None:
        raise ValueError("a date and time without its offset from UTC")
    if utc.year not in years:
        raise ValueError(f"not within the years {years.start} to {years.stop - 1}")
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _notify_date(value: object) -> datetime:
    return _moment(value, _NOTIFY_YEARS)


def _rate(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and _SLOWEST <= value <= _FASTEST:  # type: ignore[operator]
        return float(value)  # type: ignore[arg-type]
    raise ValueError("not a number of texts a second from 1/300 to 1000000")


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso_utc(value)
    return value.wire() if isinstance(value, TextingHours) else value


def _a_year_after(moment: datetime) -> datetime:
    leap_day = (moment.month, moment.day) == (2, 29)
    return moment.replace(year=moment.year + 1, day=28 if leap_day else moment.day)


_FIELDS: Final[Mapping[str, tuple[str, bool, _Read]]] = {
    "campaign_id": ("campaignId", True, _id),
    "category_id": ("categoryId", True, _category),
    "total_limit": ("totalLimit", True, _count),
    "generate_offer_code": ("generateOfferCode", True, _flag),
    "tied_to_account": ("tiedToAccount", True, _flag),
    "notify_date": ("notifyDate", True, _notify_date),
    "product_id": ("productId", False, _text),
    "source": ("source", False, _text),
    "begin_date": ("beginDate", False, _moment),
    "end_date": ("endDate", False, _moment),
    "rate": ("rate", False, _rate),
    "texting_hours": ("textingHours", False, TextingHours.read),
}
"""Attribute -> name on the wire, whether it must be there, and how its value is read."""

_KNOWN: Final = frozenset(name for name, _, _ in _FIELDS.values())
