"""Ids that may stand in a key.

Every key of both buckets; no other module spells one.

`campaignData` is the lake, `scoring` the working bucket. Builders refuse ids that could leave
their folder; the patterns below recognise the keys that start workers.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Final, NewType

from campaign_workers.domain.errors import BadInput

CampaignId = NewType("CampaignId", str)
"""Id of a campaign, which is also the id of its fan list."""

FanId = NewType("FanId", str)
"""The `globalUserId` of a fan."""

MarketId = NewType("MarketId", str)
"""Id of a market of a campaign."""

WaveId = NewType("WaveId", str)
"""Name of a wave: its file and its config are named by it."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE_NAME: Final = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")


def is_key_id(value: str) -> bool:
    """Whether `value` may be part of a key: letters, digits, `._-`, at most 64, no `..`."""
    return bool(_ID.fullmatch(value)) and ".." not in value


def key_id(value: object, field: str) -> str:
    """`value` itself, if it may be part of a key.

    Raises:
        BadInput: it is no text of that form; the message names `field`.
    """
    if isinstance(value, str) and is_key_id(value):
        return value
    raise BadInput(
        "not an id that can go into a key",
        field=field,
        remedy="use letters, digits, '.', '_' and '-', at most 64, without '..'",
    )


def file_name(value: str, field: str) -> str:
    """`value` itself, if it names a file that stays in its folder.

    Raises:
        BadInput: it is empty, `.` or `..`, or has a slash or a control character.
    """
    if _FILE_NAME.fullmatch(value) and value not in {".", ".."}:
        return value
    raise BadInput("not a file name", field=field, remedy="name a file without any folder")


MAX_KEY_BYTES: Final = 1024


def checked_key(key: str) -> str:
    """`key` itself, if a bucket takes it.

    Raises:
        BadInput: it is empty, too long, no UTF-8, or has an empty, `.` or `..` segment.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= MAX_KEY_BYTES or not {"", ".", ".."}.isdisjoint(key.split("/")):
        raise BadInput(
            "a key that no bucket takes", field="key", remedy="name folders and a file, without .."
        )
    return key


CAMPAIGN_DATA: Final = "campaignData"
SCORING: Final = "scoring"

MERGED: Final = "merged"
SCRATCH_PREFIX: Final = "athena-results/merges/"
SCORED_PREFIX: Final = "scored/"
FANLIST_PREFIX: Final = "fanlist/uploaded/"


class WaveState(StrEnum):
    """Where a wave's config lies tells its state."""

    SCHEDULED = "scheduled"
    TRIGGERED = "triggered"
    COMPLETED = "completed"
    FAILED = "failed"


# --- campaignData ---


def lake_day(record_type: str, day: date) -> str:
    """Folder of one type's batches of one day."""
    return f"avro/{record_type}/{day:%Y/%m/%d}/"


def lake_batch(record_type: str, day: date, batch_id: str) -> str:
    """One batch of one type."""
    return f"{lake_day(record_type, day)}{batch_id}.avro"


def registration_folder(period: str) -> str:
    """Folder of the registrations of a period, `YYYY/MM/DD` or `YYYY/MM`."""
    return f"avro/registration/{lake_period(period)}/"


def merged_registrations(period: str) -> str:
    """The merged file of a day or a month."""
    return f"{registration_folder(period)}{MERGED}"


def merge_manifest(period: str) -> str:
    """What the merged file of a day or a month contains."""
    return f"manifests/registration/{lake_period(period)}.json"


def archived(key: str) -> str:
    """Where a merged source goes: the same path under `avro/archived/`."""
    return f"avro/archived/{key.removeprefix('avro/')}"


_PERIOD: Final = re.compile(r"\d{4}/(0[1-9]|1[0-2])(/(0[1-9]|[12]\d|3[01]))?")


def lake_period(period: str) -> str:
    """`period` itself, if it is `YYYY/MM/DD` or `YYYY/MM`.

    Raises:
        BadInput: it is neither.
    """
    if _PERIOD.fullmatch(period):
        return period
    raise BadInput("not a day or a month", field="prefix", remedy="write YYYY/MM/DD or YYYY/MM")


def rejected(worker: str, day: date, batch_id: str) -> str:
    """What a stream worker turned away, with reasons."""
    return f"rejected/{worker}/{day:%Y/%m/%d}/{batch_id}.jsonl"


def scratch(run: str = "") -> str:
    """Folder of what one merge by query makes for itself, or of all merges."""
    return f"{SCRATCH_PREFIX}{run}/" if run else SCRATCH_PREFIX


# --- scoring ---


def scored(name: str) -> str:
    """Scored fans, the upload that starts processScoredFiles."""
    return f"{SCORED_PREFIX}{file_name(name, 'name')}.txt"


def scrubbed(name: str) -> str:
    """The scrubbed copy of `scored/{name}.txt`."""
    return f"scrubbed/{file_name(name, 'name')}.csv"


def blocklists(kind: str, campaign_id: str) -> tuple[str, str]:
    """The list for everybody and the campaign's own; `kind` is `emails` or `domains`."""
    return (
        f"blocklist/{kind}.txt",
        f"blocklist/{key_id(campaign_id, 'campaignId')}/{kind}.txt",
    )


def allowlists(campaign_id: str) -> tuple[str, str]:
    """Allowed address patterns, for everybody and the campaign's own."""
    return (
        "allowlist/patterns.txt",
        f"allowlist/{key_id(campaign_id, 'campaignId')}/patterns.txt",
    )


def fanlist_upload(fanlist_id: str, name: str) -> str:
    """Ranks of a fan club; the fanlist id is the campaign's id."""
    return f"{FANLIST_PREFIX}{key_id(fanlist_id, 'fanlistId')}/{file_name(name, 'name')}.csv"


def fanlist_manifest(fanlist_id: str) -> str:
    """Outcome of every file of a fanlist."""
    return f"{FANLIST_PREFIX}{key_id(fanlist_id, 'fanlistId')}/manifest.json"


def fanlist_scored(fanlist_id: str, name: str) -> str:
    """The scored copy of a fanlist upload."""
    return f"fanlist/scored/{key_id(fanlist_id, 'fanlistId')}/{file_name(name, 'name')}.csv"


def wave_file(wave: str) -> str:
    """Registrants of a wave."""
    return f"smsWaves/csv/{file_name(wave, 'wave')}.csv"


def wave_errors(wave: str) -> str:
    """Registrants of a wave without a usable code, with the reason."""
    return f"smsWaves/errors/{file_name(wave, 'wave')}.csv"


def wave_folder(state: WaveState) -> str:
    """Folder of the wave configs in one state."""
    return f"smsWaves/{state}/"


def wave_config(wave: str, state: WaveState) -> str:
    """A wave's config in one state."""
    return f"{wave_folder(state)}{file_name(wave, 'wave')}_csv.json"


def generating_config(wave: str) -> str:
    """A wave's config while its codes are being made."""
    return f"smsWaves/generateCode/generateCode_{file_name(wave, 'wave')}.json"


def market_details(campaign_id: str, date_key: str) -> str:
    """Market details, the input of a wave preparation."""
    return f"{_wave_prep(campaign_id)}data/{key_id(date_key, 'dateKey')}.csv"


def wave_prep_status(campaign_id: str, date_key: str) -> str:
    """State of a wave preparation."""
    return f"{_wave_prep(campaign_id)}status/{key_id(date_key, 'dateKey')}.json"


def prepped(campaign_id: str, date_key: str) -> str:
    """The zip that a wave preparation makes."""
    return f"{_wave_prep(campaign_id)}prepped/prepped.{key_id(date_key, 'dateKey')}.zip"


def _wave_prep(campaign_id: str) -> str:
    return f"wavePrep/{key_id(campaign_id, 'campaignId')}/"


# --- reading keys ---

_SCORED: Final = re.compile(r"scored/(?P<name>[^/]+)\.txt")
_FANLIST: Final = re.compile(r"fanlist/uploaded/(?P<fanlist_id>[^/]+)/(?P<name>[^/]+)\.csv")
_WAVE_CONFIG: Final = re.compile(
    r"smsWaves/(?P<state>scheduled|triggered|completed|failed)/(?P<wave>[^/]+)_csv\.json"
)
_WAVE_FILE: Final = re.compile(r"smsWaves/csv/(?P<wave>[^/]+)\.csv")


def scored_name(key: str) -> str:
    """`name` of `scored/{name}.txt`.

    Raises:
        BadInput: the key is not of that form.
    """
    return file_name(_match(_SCORED, key, "scored/{name}.txt")["name"], "name")


def fanlist_parts(key: str) -> tuple[str, str]:
    """`fanlistId` and `file` of `fanlist/uploaded/{fanlistId}/{file}.csv`.

    Raises:
        BadInput: the key is not of that form.
    """
    parts = _match(_FANLIST, key, "fanlist/uploaded/{fanlistId}/{file}.csv")
    return key_id(parts["fanlist_id"], "fanlistId"), file_name(parts["name"], "name")


def wave_config_parts(key: str) -> tuple[str, WaveState]:
    """`wave` and state of `smsWaves/{state}/{wave}_csv.json`.

    Raises:
        BadInput: the key is not of that form.
    """
    parts = _match(_WAVE_CONFIG, key, "smsWaves/{state}/{wave}_csv.json")
    return file_name(parts["wave"], "wave"), WaveState(parts["state"])


def wave_of_file(key: str) -> str:
    """`wave` of `smsWaves/csv/{wave}.csv`.

    Raises:
        BadInput: the key is not of that form.
    """
    return file_name(_match(_WAVE_FILE, key, "smsWaves/csv/{wave}.csv")["wave"], "wave")


def _match(pattern: re.Pattern[str], key: str, form: str) -> dict[str, str]:
    if found := pattern.fullmatch(key):
        return found.groupdict()
    raise BadInput(f"not a key of the form {form}", field="key")
