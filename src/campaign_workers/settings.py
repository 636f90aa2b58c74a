"""What may be set from outside: one frozen value, read once, from the environment and TOML.

`CAMPAIGN_WORKERS_AVRO_CODEC=null` in the environment wins over `avro_codec = "null"` under
`[campaign-workers]` in a TOML file that `CAMPAIGN_WORKERS_SETTINGS` names; docs/settings.md has
all of them.
"""

import os
from pathlib import Path
from typing import Final, Literal

import attrs
import typed_settings
from typed_settings.exceptions import TsError

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.triggers import DeliverySettings

PREFIX: Final = "CAMPAIGN_WORKERS_"
"""How the variables of the environment begin."""

Profile = Literal["memory", "local", "aws"]
ReadPreference = Literal[
    "primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"
]


def _positive(_: object, __: object, delivery: DeliverySettings) -> None:
    # Not by validators of its own, for a nested error would not say which number it is.
    for name, number in attrs.asdict(delivery).items():
        if number < 1:
            raise ValueError(f"'delivery.{name}' must be >= 1: {number}")


@attrs.frozen(kw_only=True)
class Settings:
    """Settings of a container; units stand in the names.

    `profile` chooses the adapters and `dir` is the folder of the local one. `avro_codec` is that of
    new containers in the lake. `spool_dir` holds temporary files (default: the system's). Services
    are asked about so many records `at_once`, inputs over a `limit` are refused, and `delivery` is
    how the embedded runtime calls workers. `mongodb_uri` is the address of the database, which may
    hold a password; counting the entries of a campaign has a limit of its own, for it reads all of
    them.

    What follows is for the profile `aws`. Streams, queues and tables have the names of
    `domain.triggers` and `domain.layout` with `name_suffix` behind them, secrets have
    `secret_prefix` before theirs; without `mongodb_uri` the secret `mongodb/uri` holds the address.
    `services_url` is where other teams' services answer, with `{service}` in the place of each
    one's name; one that answers elsewhere has its own, such as `slack_url`. With `traces` calls
    are traced, and sent to where the variables of OpenTelemetry say.
    """

    profile: Profile = "local"
    dir: Path = Path("campaign-data")
    spool_dir: Path | None = None
    avro_codec: Literal["deflate", "null"] = "deflate"
    texts_in_flight: int = attrs.field(default=200, validator=attrs.validators.ge(1))
    offer_codes_in_flight: int = attrs.field(default=25, validator=attrs.validators.ge(1))
    lookups_at_once: int = attrs.field(default=25, validator=attrs.validators.ge(1))
    selections_at_once: int = attrs.field(default=25, validator=attrs.validators.ge(1))
    codes_at_once: int = attrs.field(default=2500, validator=attrs.validators.ge(1))
    list_limit_bytes: int = attrs.field(default=64 * 2**20, validator=attrs.validators.ge(1))
    fanlist_limit_bytes: int = attrs.field(default=256 * 2**20, validator=attrs.validators.ge(1))
    merge_limit_bytes: int = attrs.field(default=1_200_000_000, validator=attrs.validators.ge(1))
    delivery: DeliverySettings = attrs.field(factory=DeliverySettings, validator=_positive)
    mongodb_uri: str | None = attrs.field(default=None, repr=False)
    mongodb_read_preference: ReadPreference = "secondaryPreferred"
    mongodb_timeout_seconds: float = attrs.field(default=10, validator=attrs.validators.gt(0))
    mongodb_counting_seconds: float = attrs.field(default=240, validator=attrs.validators.gt(0))
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

    def service_url(self, service: str) -> str:
        """Where `service` answers.

        Raises:
            BadInput: no setting says so.
        """
        own: str | None = getattr(self, f"{service}_url")
        if own is None and self.services_url is None:
            raise BadInput(
                f"nothing says where the service {service} answers",
                field="services_url",
                remedy="set CAMPAIGN_WORKERS_SERVICES_URL, with {service} for its name",
            )
        return own or str(self.services_url).replace("{service}", service)


def variable(setting: str) -> str:
    """Return the environment variable of a setting, such as `delivery.lake_batch`."""
    return PREFIX + setting.upper().replace(".", "_")


def environment() -> frozenset[tuple[str, str]]:
    """What the environment says of this package; settings that were read are good for as long."""
    return frozenset(item for item in os.environ.items() if item[0].startswith(PREFIX))


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        BadInput: settings are unknown or have wrong values; the message names all of them.
    """
    try:
        return typed_settings.load(Settings, appname="campaign-workers")
    except TsError as error:
        faults = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        raise BadInput("; ".join(str(fault) for fault in faults), field="settings") from None
