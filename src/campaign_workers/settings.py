"""Settings: one frozen value, read once from the environment and from a TOML file.

`CAMPAIGN_WORKERS_AVRO_CODEC=null` in the environment overrides `avro_codec = "null"` under
`[campaign-workers]` in the TOML file that `CAMPAIGN_WORKERS_SETTINGS` names; docs/settings.md
lists all settings.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args

import attrs
import typed_settings
from typed_settings.exceptions import TsError

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.triggers import DeliverySettings

PREFIX: Final = "CAMPAIGN_WORKERS_"
"""Prefix of the environment variables of this package."""

Profile = Literal["memory", "local", "aws"]
ReadPreference = Literal[
    "primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"
]


@attrs.frozen(kw_only=True)
class Settings:
    """Settings of a container; the names say the units.

    `profile` selects the adapters, `dir` is the folder of the local profile, and `avro_codec`
    compresses new files in the lake. `spool_dir` holds temporary files (default: the system's).
    `..._at_once` is how many records one request to a service carries, `..._in_flight` how many
    requests run concurrently; input over a `..._limit_bytes` is refused. `delivery` is how the
    embedded runtime calls workers. `mongodb_uri` is the address of the database and may hold a
    password. Counting the entries of a campaign reads all of them, so it has its own timeout.

    The rest is for the profile `aws`. `name_suffix` is appended to the names of streams, queues and
    tables, `secret_prefix` is put before those of secrets; without `mongodb_uri`, the secret
    `mongodb/uri` holds the address. `services_url` is the address of other teams' services, with
    `{service}` for the name of each; a service elsewhere has its own setting, such as `slack_url`.
    With `traces`, calls are traced and sent where the variables of OpenTelemetry say.

    Raises:
        BadInput: a number is too small; names the environment variable of each.
    """

    profile: Profile = "local"
    dir: Path = Path("campaign-data")
    spool_dir: Path | None = None
    avro_codec: Literal["deflate", "null"] = "deflate"
    texts_in_flight: int = 200
    offer_codes_in_flight: int = 25
    lookups_at_once: int = 25
    selections_at_once: int = 25
    codes_at_once: int = 2500
    list_limit_bytes: int = 64 * 2**20
    fanlist_limit_bytes: int = 256 * 2**20
    merge_limit_bytes: int = 1_200_000_000
    delivery: DeliverySettings = attrs.field(factory=DeliverySettings)
    mongodb_uri: str | None = attrs.field(default=None, repr=False)
    mongodb_read_preference: ReadPreference = "secondaryPreferred"
    mongodb_timeout_seconds: float = 10
    mongodb_counting_seconds: float = 240
    name_suffix: str = ""
    campaign_data_bucket: str | None = None
    scoring_bucket: str | None = None
    sms_wave_state_machine: str | None = None
    athena_workgroup: str = "campaign-workers"
    athena_database: str = "campaign_workers"
    secret_prefix: str = "campaign-workers/"  # noqa: S105 a name
    services_url: str | None = None
    campaign_url: str | None = None
    entry_url: str | None = None
    code_url: str | None = None
    user_url: str | None = None
    pacman_url: str | None = None
    sms_url: str | None = None
    slack_url: str | None = None
    traces: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse numbers that are too small.

        Raises:
            BadInput: as above.
        """
        if faults := [*_too_small(self), *_too_small(self.delivery, "delivery.")]:
            raise BadInput("; ".join(faults))

    def service_url(self, service: str) -> str:
        """Return the address of `service`.

        Raises:
            BadInput: no setting has it.
        """
        own: str | None = getattr(self, f"{service}_url")
        if own is None and self.services_url is None:
            raise BadInput(
                f"the address of the service {service} is not set",
                remedy=f"set {variable('services_url')}, with {{service}} for its name",
            )
        return own or str(self.services_url).replace("{service}", service)


def variable(setting: str) -> str:
    """Return the environment variable of a setting, such as `delivery.lake_batch`."""
    return PREFIX + setting.upper().replace(".", "_")


def environment() -> frozenset[tuple[str, str]]:
    """Return the environment variables of this package; settings are valid while they are equal."""
    return frozenset(item for item in os.environ.items() if item[0].startswith(PREFIX))


def load_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        BadInput: settings are unknown or have wrong values; names all of them.
    """
    try:
        return typed_settings.load(Settings, appname="campaign-workers")
    except TsError as error:
        faults = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        raise BadInput("; ".join(_describe(str(fault)) for fault in faults)) from None


_CONVERSION: Final = re.compile(
    r"Could not convert value (.*) for option '([\w.]+)' from", re.DOTALL
)
_VALIDATION: Final = re.compile(r"Could not convert loaded settings:\s+- \w+: (.*)", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Invalid options found in (.*): (.*)", re.DOTALL)
_KINDS: Final[dict[object, str]] = {
    bool: "true or false",
    float: "a number",
    int: "a whole number >= 1",
}


def _too_small(numbers: Any, prefix: str = "") -> Iterator[str]:
    """Yield a fault for each whole number below 1 and each number of seconds not above 0."""
    for name, value in attrs.asdict(numbers, recurse=False).items():
        place = variable(prefix + name)
        if type(value) is int and value < 1:
            yield f"{place}: expected a whole number >= 1, got {value}"
        elif type(value) is float and not value > 0:
            yield f"{place}: expected a number > 0, got {value}"


def _describe(fault: str) -> str:
    """Return a fault of typed-settings with the environment variable of its setting."""
    if conversion := _CONVERSION.match(fault):
        value, option = conversion.groups()
        return f"{variable(option)}: expected {_describe_type(option)}, got {value}"
    if validation := _VALIDATION.match(fault):
        return validation[1].strip()
    if unknown := _UNKNOWN.match(fault):
        return f"{unknown[1]}: unknown settings: {unknown[2]}"
    return fault


def _describe_type(option: str) -> str:
    """Return what a setting takes, in words."""
    kind: Any = Settings
    for name in option.split("."):
        kind = attrs.fields_dict(kind)[name].type
    choices = ", ".join(str(choice) for choice in get_args(kind))
    return _KINDS.get(kind, f"one of {choices}" if choices else "another value")
