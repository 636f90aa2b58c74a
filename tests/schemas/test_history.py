"""Whether a schema is one of ours."""

import json
from typing import Any

import pytest

from campaign_workers.adapters.avro.schemas import current_schema, folder, version_of, versions
from campaign_workers.domain.errors import BadInput

SCHEMA = current_schema("registration")


def test_prose_and_spelling_make_no_other_schema() -> None:
    """A schema without its documentation, or with its full name, is the same version."""
    schema = dict(current_schema("registration"))
    without_prose = {name: value for name, value in schema.items() if name != "doc"}
    full_name = {n: v for n, v in without_prose.items() if n != "namespace"}
    assert version_of(without_prose) == 1
    assert version_of(full_name | {"name": "campaign.registration"}) == 1
    assert version_of(json.loads(json.dumps(schema))) == 1


@pytest.mark.parametrize(
    "stranger",
    [
        None,
        "string",
        [],
        {},
        {"name": 7},
        {"type": "record", "name": "telemetry", "namespace": "campaign", "fields": []},
        {"type": "record", "name": "../registration", "namespace": "campaign", "fields": []},
        dict(SCHEMA) | {"namespace": "elsewhere"},
        dict(SCHEMA) | {"name": "scoring"},
        dict(SCHEMA) | {"fields": SCHEMA["fields"][:-1]},
        dict(SCHEMA) | {"fields": SCHEMA["fields"][::-1]},
    ],
)
def test_a_strange_schema_is_no_version(stranger: Any) -> None:
    """Another name, namespace, field or order of fields is not in the history."""
    assert version_of(stranger) is None


@pytest.mark.parametrize("name", ["telemetry", "", "..", "registration/..", "v1.avsc"])
def test_a_type_without_a_history_is_refused(name: str) -> None:
    """Asking for the schema of no type of ours is an error."""
    with pytest.raises(BadInput, match="unknown record type"):
        versions(name)


def test_a_checkout_reads_its_own_folder() -> None:
    """The schemas are found, installed or not."""
    assert (folder() / "wave-config.json").is_file()
