"""Wave configs: their fields, versions and failures, and the names of executions."""

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

_Parse = Callable[[Any], Any]

FAILURE_FIELD: Final = "lastFailure"
"""The field with the reason why the wave failed; a rescheduled config may still have it."""

CONFIG_LIMIT: Final = 256 * 1024
"""Size limit of a config in bytes."""

_MAX_REASON: Final = 1000

# Default code dates are up to a year after the notify date, and must be readable again.
_NOTIFY_YEARS: Final = range(2000, 3000)
_YEARS: Final = range(1900, 9000)
_MIN_RATE: Final = 1 / 300
_MAX_RATE: Final = 1_000_000
_INVALID_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")


@attrs.frozen(kw_only=True)
class WaveConfig:
    """The config of a wave: what its registrants are sent, and when.

    `total_limit` is the maximum number of registrants to notify; `rate` is the maximum number of
    texts in any window of one second; codes are valid from `begin_date` to `end_date`. `extra` has
    unknown fields, which are kept unchanged.
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
    def parse(cls, document: bytes | Mapping[str, Any], *, file: str) -> Self:
        """Parse a config from JSON in UTF-8 or from a decoded object; errors name `file`.

        Raises:
            BadInput: the document is not a JSON object, or a field is missing or invalid; names
                file and field.
        """
        raw = _decode(document, file) if isinstance(document, bytes) else document
        if not isinstance(raw, Mapping):
            raise BadInput("expected a JSON object", file=file)
        values = {attribute: _field(raw, attribute, file) for attribute in _FIELDS}
        extra = {name: value for name, value in raw.items() if name not in _KNOWN}
        config = cls(**values, extra=extra)
        if config.begin_date and config.end_date and config.end_date <= config.begin_date:
            raise BadInput("expected a date after beginDate", file=file, field="endDate")
        return config

    def to_json(self) -> dict[str, Any]:
        """Return the config as a JSON object: known fields in order, then the others by name."""
        known = {_FIELDS[name][0]: _to_json(getattr(self, name)) for name in _FIELDS}
        present = {name: value for name, value in known.items() if value is not None}
        return present | {name: self.extra[name] for name in sorted(self.extra)}

    def to_bytes(self) -> bytes:
        """Return the config as a file; equal configs give equal bytes."""
        return f"{json.dumps(self.to_json(), indent=2, ensure_ascii=False)}\n".encode()

    def with_code_dates(self) -> Self:
        """Return the config with default dates: from a day before to a year after notifying.

        Dates that the config has already stay.
        """
        return attrs.evolve(
            self,
            begin_date=self.begin_date or self.notify_date - timedelta(days=1),
            end_date=self.end_date or _a_year_after(self.notify_date),
        )

    def is_ready(self, now: datetime) -> bool:
        """Whether the notify date has come."""
        return self.notify_date <= now


def execution_name(config_key: str, etag: str) -> str:
    """Return the name of the execution for one version of a config.

    The name has at most 57 letters, digits, `-` and `_`: other characters of the wave become `-`,
    and a digest keeps names unique.

    Raises:
        BadInput: the key is not the key of a wave config.
    """
    wave, _ = parse_wave_config_key(config_key)
    digest = hashlib.sha256(f"{config_key}:{etag}".encode()).hexdigest()
    return f"{_INVALID_IN_NAMES.sub('-', wave[:40])}-{digest[:16]}"


def config_version(document: bytes) -> str:
    """Return the version of a config: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(document).hexdigest()[:16]


def with_failure(document: bytes, reason: str) -> bytes:
    """Add the reason of a failure to a config; anything but a JSON object is returned unchanged."""
    try:
        raw = _decode(document, "config")
    except BadInput:
        return document
    if not isinstance(raw, dict):
        return document
    return f"{json.dumps(raw | {FAILURE_FIELD: reason}, indent=2, ensure_ascii=False)}\n".encode()


def failure_reason(document: bytes) -> str:
    """Return the reason of the failure that a config in `failed/` has."""
    try:
        return str(_decode(document, "config").get(FAILURE_FIELD, "no reason given"))
    except (AttributeError, BadInput):
        return "its config cannot be read"


def failure_alert(wave: str, document: bytes, counts: Mapping[str, int]) -> str:
    """Return the Slack message about a failed wave, in mrkdwn."""
    figures = (("ok", "notified"), ("failed", "failed"), ("unsettled", "without an outcome"))
    summary = ", ".join(f"{counts.get(name, 0)} {words}" for name, words in figures)
    reason = escape(failure_reason(document), _MAX_REASON)
    return f"*Wave failed:* {escape(wave)}\n{reason}\n{summary}"


def _decode(document: bytes, file: str) -> Any:
    if len(document) > CONFIG_LIMIT:
        raise BadInput(f"more than {CONFIG_LIMIT} bytes", file=file)
    try:
        return parse_json(document.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadInput("expected JSON in UTF-8", file=file) from None


def _field(raw: Mapping[str, Any], attribute: str, file: str) -> Any:
    name, is_required, parse = _FIELDS[attribute]
    value = raw.get(name)
    if value is None:
        if is_required:
            raise BadInput("missing", file=file, field=name)
        return None
    try:
        return parse(value)
    except BadInput as why:
        raise why.within(file) from None
    except ValueError as why:
        raise BadInput(str(why), file=file, field=name) from None


def _id(value: object) -> str:
    try:
        return validate_key_id(value, "campaignId")
    except BadInput as why:
        raise ValueError(why.problem) from None


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("expected an integer")


def _count(value: object) -> int:
    if (count := _integer(value)) >= 0:
        return count
    raise ValueError("expected an integer from 0")


def _category(value: object) -> int:
    if -(2**53) < (category := _integer(value)) < 2**53:
        return category
    raise ValueError("expected an integer between -2^53 and 2^53")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("expected true or false")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("expected a string")


def _moment(value: object, years: range = _YEARS) -> datetime:
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]
        utc = moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        raise ValueError("expected an ISO-8601 date and time") from None
    if utc is None:
        raise ValueError("expected a date and time with its offset from UTC")
    if utc.year not in years:
        raise ValueError(f"expected a year from {years.start} to {years.stop - 1}")
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _notify_date(value: object) -> datetime:
    return _moment(value, _NOTIFY_YEARS)


def _rate(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and _MIN_RATE <= value <= _MAX_RATE:  # type: ignore[operator]
        return float(value)  # type: ignore[arg-type]
    raise ValueError("expected texts per second, a number from 1/300 to 1000000")


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso_utc(value)
    return value.to_json() if isinstance(value, TextingHours) else value


def _a_year_after(moment: datetime) -> datetime:
    leap_day = (moment.month, moment.day) == (2, 29)
    return moment.replace(year=moment.year + 1, day=28 if leap_day else moment.day)


_FIELDS: Final[Mapping[str, tuple[str, bool, _Parse]]] = {
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
    "texting_hours": ("textingHours", False, TextingHours.parse),
}
"""Attribute -> name in JSON, whether it is required, and the parser of its value."""

_KNOWN: Final = frozenset(name for name, _, _ in _FIELDS.values())
