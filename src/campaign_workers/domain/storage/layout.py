"""The keys of both buckets: `campaignData`, the lake, and `scoring`, the working bucket.

No other module spells a key. Functions `.._key` and `.._prefix` build keys from ids and reject an
id that could escape its folder; functions `parse_.._key` read the keys that start workers.
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
    """Whether `value` is safe in a key: at most 64 letters, digits and `._-`, without `..`."""
    return bool(_ID.fullmatch(value)) and ".." not in value


def validate_key_id(value: object, field: str) -> str:
    """Return `value` if it is an id that is safe in a key.

    Raises:
        BadInput: `value` is not such an id; the message names `field`.
    """
    if isinstance(value, str) and is_key_id(value):
        return value
    raise BadInput(
        "expected an id that is safe in an object key",
        field=field,
        remedy="use at most 64 letters, digits, '.', '_' and '-', without '..'",
    )


def validate_file_name(value: str, field: str) -> str:
    """Return `value` if it is the name of a file, without a folder.

    Raises:
        BadInput: `value` is empty, `.` or `..`, over 200 characters, or contains a slash or a
            control character.
    """
    if _FILE_NAME.fullmatch(value) and value not in {".", ".."}:
        return value
    raise BadInput(
        "expected a file name of at most 200 characters", field=field, remedy="leave out folders"
    )


MAX_KEY_BYTES: Final = 1024


def validate_object_key(key: str) -> str:
    """Return `key` if it is a valid object key.

    Raises:
        BadInput: `key` is empty, too long, not encodable as UTF-8, or has an empty, `.` or `..`
            segment.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= MAX_KEY_BYTES or not {"", ".", ".."}.isdisjoint(key.split("/")):
        raise BadInput(
            f"not a valid object key (1-{MAX_KEY_BYTES} bytes, no empty, '.' or '..' segment)",
            field="key",
        )
    return key


CAMPAIGN_DATA: Final = "campaignData"
SCORING: Final = "scoring"

MERGED: Final = "merged"
SCRATCH_PREFIX: Final = "athena-results/merges/"
SCORED_PREFIX: Final = "scored/"
FANLIST_PREFIX: Final = "fanlist/uploaded/"


class WaveState(StrEnum):
    """The states of a wave; the folder of its config is its state."""

    SCHEDULED = "scheduled"
    TRIGGERED = "triggered"
    COMPLETED = "completed"
    FAILED = "failed"


# --- campaignData ---


def lake_day_prefix(record_type: str, day: date) -> str:
    """Return the prefix of the batches of one record type and day."""
    return f"avro/{record_type}/{day:%Y/%m/%d}/"


def lake_batch_key(record_type: str, day: date, batch_id: str) -> str:
    """Return the key of one batch of one record type."""
    return f"{lake_day_prefix(record_type, day)}{batch_id}.avro"


def registration_prefix(period: str) -> str:
    """Return the prefix of the registrations of a period, `YYYY/MM/DD` or `YYYY/MM`."""
    return f"avro/registration/{validate_period(period)}/"


def merged_registrations_key(period: str) -> str:
    """Return the key of the merged file of a day or a month."""
    return f"{registration_prefix(period)}{MERGED}"


def merge_manifest_key(period: str) -> str:
    """Return the key of the manifest that lists the contents of a merged file."""
    return f"manifests/registration/{validate_period(period)}.json"


def archived_key(key: str) -> str:
    """Return the key to which a merged source is moved: the same path under `avro/archived/`."""
    return f"avro/archived/{key.removeprefix('avro/')}"


_PERIOD: Final = re.compile(r"\d{4}/(0[1-9]|1[0-2])(/(0[1-9]|[12]\d|3[01]))?")


def validate_period(period: str) -> str:
    """Return `period` if it has the form `YYYY/MM/DD` or `YYYY/MM`.

    Raises:
        BadInput: `period` has neither form.
    """
    if _PERIOD.fullmatch(period):
        return period
    raise BadInput("expected YYYY/MM/DD or YYYY/MM", field="inputPrefix")


def rejected_key(worker: str, day: date, batch_id: str) -> str:
    """Return the key of the records of a batch that a stream worker rejected, with the reasons."""
    return f"rejected/{worker}/{day:%Y/%m/%d}/{batch_id}.jsonl"


def scratch_prefix(run: str = "") -> str:
    """Return the prefix of the temporary objects of one merge by query, or of all of them."""
    return f"{SCRATCH_PREFIX}{run}/" if run else SCRATCH_PREFIX


# --- scoring ---


def scored_key(name: str) -> str:
    """Return the key of a file of scored fans, whose upload starts processScoredFiles."""
    return f"{SCORED_PREFIX}{validate_file_name(name, 'name')}.txt"


def scrubbed_key(name: str) -> str:
    """Return the key of the scrubbed copy of `scored/{name}.txt`."""
    return f"scrubbed/{validate_file_name(name, 'name')}.csv"


def blocklist_keys(kind: str, campaign_id: str) -> tuple[str, str]:
    """Return the keys of the shared blocklist and of the campaign's own.

    Args:
        kind: `emails` or `domains`.
        campaign_id: whose own list is meant.
    """
    return (
        f"blocklist/{kind}.txt",
        f"blocklist/{validate_key_id(campaign_id, 'campaignId')}/{kind}.txt",
    )


def allowlist_keys(campaign_id: str) -> tuple[str, str]:
    """Return the keys of the shared list of allowed address patterns and of the campaign's own."""
    return (
        "allowlist/patterns.txt",
        f"allowlist/{validate_key_id(campaign_id, 'campaignId')}/patterns.txt",
    )


def fanlist_upload_key(fanlist_id: str, name: str) -> str:
    """Return the key of a file of fan-club ranks; the fanlist id is the campaign's id."""
    return f"{_fanlist_prefix(fanlist_id)}{validate_file_name(name, 'name')}.csv"


def fanlist_manifest_key(fanlist_id: str) -> str:
    """Return the key of the manifest with the outcome of every file of a fanlist."""
    return f"{_fanlist_prefix(fanlist_id)}manifest.json"


def fanlist_scored_key(fanlist_id: str, name: str) -> str:
    """Return the key of the scored copy of a fanlist upload."""
    folder = validate_key_id(fanlist_id, "fanlistId")
    return f"fanlist/scored/{folder}/{validate_file_name(name, 'name')}.csv"


def _fanlist_prefix(fanlist_id: str) -> str:
    return f"{FANLIST_PREFIX}{validate_key_id(fanlist_id, 'fanlistId')}/"


def wave_file_key(wave: str) -> str:
    """Return the key of the wave file, with the registrants of a wave."""
    return f"smsWaves/csv/{validate_file_name(wave, 'wave')}.csv"


def wave_errors_key(wave: str) -> str:
    """Return the key of the errors file, with the registrants that have no usable code."""
    return f"smsWaves/errors/{validate_file_name(wave, 'wave')}.csv"


def wave_configs_prefix(state: WaveState) -> str:
    """Return the prefix of the wave configs in one state."""
    return f"smsWaves/{state}/"


def wave_config_key(wave: str, state: WaveState) -> str:
    """Return the key of a wave's config in one state."""
    return f"{wave_configs_prefix(state)}{validate_file_name(wave, 'wave')}_csv.json"


def generating_config_key(wave: str) -> str:
    """Return the key of a wave's config while its codes are generated."""
    return f"smsWaves/generateCode/generateCode_{validate_file_name(wave, 'wave')}.json"


def market_details_key(campaign_id: str, date_key: str) -> str:
    """Return the key of the market details, the input of a wave preparation."""
    return f"{_wave_prep_prefix(campaign_id)}data/{validate_key_id(date_key, 'dateKey')}.csv"


def wave_prep_status_key(campaign_id: str, date_key: str) -> str:
    """Return the key of the status of a wave preparation."""
    return f"{_wave_prep_prefix(campaign_id)}status/{validate_key_id(date_key, 'dateKey')}.json"


def prepped_key(campaign_id: str, date_key: str) -> str:
    """Return the key of the zip archive that a wave preparation writes."""
    name = f"prepped.{validate_key_id(date_key, 'dateKey')}.zip"
    return f"{_wave_prep_prefix(campaign_id)}prepped/{name}"


def _wave_prep_prefix(campaign_id: str) -> str:
    return f"wavePrep/{validate_key_id(campaign_id, 'campaignId')}/"


# --- parsing keys ---

_SCORED: Final = re.compile(r"scored/(?P<name>[^/]+)\.txt")
_FANLIST: Final = re.compile(r"fanlist/uploaded/(?P<fanlist_id>[^/]+)/(?P<name>[^/]+)\.csv")
_WAVE_CONFIG: Final = re.compile(
    r"smsWaves/(?P<state>scheduled|triggered|completed|failed)/(?P<wave>[^/]+)_csv\.json"
)
_WAVE_FILE: Final = re.compile(r"smsWaves/csv/(?P<wave>[^/]+)\.csv")


def parse_scored_key(key: str) -> str:
    """Return `name` of `scored/{name}.txt`.

    Raises:
        BadInput: the key does not have that form.
    """
    return validate_file_name(_match(_SCORED, key, "scored/{name}.txt")["name"], "name")


def parse_fanlist_key(key: str) -> tuple[str, str]:
    """Return `fanlistId` and `file` of `fanlist/uploaded/{fanlistId}/{file}.csv`.

    Raises:
        BadInput: the key does not have that form.
    """
    parts = _match(_FANLIST, key, "fanlist/uploaded/{fanlistId}/{file}.csv")
    fanlist_id = validate_key_id(parts["fanlist_id"], "fanlistId")
    return fanlist_id, validate_file_name(parts["name"], "name")


def parse_wave_config_key(key: str) -> tuple[str, WaveState]:
    """Return `wave` and the state of `smsWaves/{state}/{wave}_csv.json`.

    Raises:
        BadInput: the key does not have that form.
    """
    parts = _match(_WAVE_CONFIG, key, "smsWaves/{state}/{wave}_csv.json")
    return validate_file_name(parts["wave"], "wave"), WaveState(parts["state"])


def parse_wave_file_key(key: str) -> str:
    """Return `wave` of `smsWaves/csv/{wave}.csv`.

    Raises:
        BadInput: the key does not have that form.
    """
    return validate_file_name(_match(_WAVE_FILE, key, "smsWaves/csv/{wave}.csv")["wave"], "wave")


def _match(pattern: re.Pattern[str], key: str, form: str) -> dict[str, str]:
    if match := pattern.fullmatch(key):
        return match.groupdict()
    raise BadInput(f"expected a key of the form {form}", field="key")
