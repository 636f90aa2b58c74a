"""What may be set from outside: one frozen value, read once, from the environment and TOML.

`CAMPAIGN_WORKERS_AVRO_CODEC=null` in the environment wins over `avro_codec = "null"` under
`[campaign-workers]` in a TOML file that `CAMPAIGN_WORKERS_SETTINGS` names. Batch sizes and
attempts are not here: they stand in `domain.triggers`, once for every runtime.
"""

from pathlib import Path
from typing import Literal

import attrs
import typed_settings
from typed_settings.exceptions import TsError

from campaign_workers.domain.errors import BadInput

Profile = Literal["memory", "local", "aws"]
ReadPreference = Literal[
    "primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"
]


@attrs.frozen(kw_only=True)
class Settings:
    """Settings of a container; units stand in the names.

    `profile` chooses the adapters and `dir` is the folder of the local one. `avro_codec` is that of
    new containers in the lake. `spool_dir` holds temporary files (default: the system's).
    `mongodb_uri` is the address of the database, which may hold a password; counting the entries of
    a campaign has a limit of its own, for it reads all of them.
    """

    profile: Profile = "local"
    dir: Path = Path("campaign-data")
    spool_dir: Path | None = None
    avro_codec: Literal["deflate", "null"] = "deflate"
    texts_in_flight: int = attrs.field(default=200, validator=attrs.validators.ge(1))
    offer_codes_in_flight: int = attrs.field(default=25, validator=attrs.validators.ge(1))
    merge_limit_bytes: int = attrs.field(default=1_200_000_000, validator=attrs.validators.ge(1))
    mongodb_uri: str | None = attrs.field(default=None, repr=False)
    mongodb_read_preference: ReadPreference = "secondaryPreferred"
    mongodb_timeout_seconds: float = attrs.field(default=10, validator=attrs.validators.gt(0))
    mongodb_counting_seconds: float = attrs.field(default=240, validator=attrs.validators.gt(0))


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
