"""Every schema of the lake can read, and be read by, every version there ever was."""

import copy
import json
from typing import Any

import avro.compatibility
import avro.schema
import pytest

from campaign_workers.adapters.avro.schemas import current_schema, folder, version_of, versions
from campaign_workers.domain.records.types import RECORD_TYPES, FieldKind, RecordType

TYPES = sorted(RECORD_TYPES)
OPTIONAL_STRING = {"type": ["null", "string"], "default": None}


def parse_schema(schema: Any) -> avro.schema.Schema:
    """A schema as the reference implementation reads it."""
    return avro.schema.parse(json.dumps(schema))


def can_read(reader: Any, writer: Any) -> bool:
    """Whether what `writer` wrote can be read with `reader`."""
    checker = avro.compatibility.ReaderWriterCompatibilityChecker()
    result = checker.get_compatibility(parse_schema(reader), parse_schema(writer))
    return result.compatibility is avro.compatibility.SchemaCompatibilityType.compatible


def is_fully_compatible(one: Any, other: Any) -> bool:
    """Avro FULL compatibility: each reads the other."""
    return can_read(one, other) and can_read(other, one)


def current(record_type: str) -> Any:
    """The schema that the repository declares for a type."""
    return json.loads((folder() / f"{record_type}.avsc").read_text(encoding="utf-8"))


def change(schema: Any, **fields: Any) -> Any:
    """The schema with fields added or, where None, taken away."""
    result = copy.deepcopy(dict(schema))
    kept = [field for field in result["fields"] if field["name"] not in fields]
    added = [{"name": name, **field} for name, field in fields.items() if field is not None]
    return result | {"fields": kept + added}


@pytest.mark.parametrize("record_type", TYPES)
def test_every_version_is_fully_compatible(record_type: str) -> None:
    """Old readers read new files and new readers read old ones, for every version."""
    assert 1 in versions(record_type)
    for old in versions(record_type).values():
        assert is_fully_compatible(current(record_type), old)


@pytest.mark.parametrize("record_type", TYPES)
def test_a_field_that_came_later_is_optional(record_type: str) -> None:
    """What version 1 did not have may be null, and is null by default."""
    first = {field["name"] for field in versions(record_type)[1]["fields"]}
    for field in current(record_type)["fields"]:
        if field["name"] not in first:
            assert field["type"][0] == "null"
            assert field["default"] is None


@pytest.mark.parametrize(
    "incompatible",
    [
        {"venue": {"type": "string"}},
        {"userId": {"type": "long"}},
        {"userId": None},
        {"optInSms": OPTIONAL_STRING},
        {"score": {"type": ["null", "string"], "default": None}},
        {"marketIds": {"type": {"type": "array", "items": "long"}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_check_can_fail(incompatible: dict[str, Any]) -> None:
    """A required field, another type or a lost field is found out."""
    schema = current_schema("registration")
    assert is_fully_compatible(schema, change(schema, venue=OPTIONAL_STRING))
    assert not is_fully_compatible(schema, change(schema, **incompatible))


@pytest.mark.parametrize("record_type", TYPES)
def test_the_schema_in_force_is_the_newest_of_the_history(record_type: str) -> None:
    """A schema changes by a new version in the history, never by an edit alone."""
    assert current(record_type) == current_schema(record_type)
    assert max(versions(record_type)) == version_of(current(record_type))


def test_every_type_has_a_schema_and_no_schema_lacks_a_type() -> None:
    """The folder, the history and the table of record types name the same ten types."""
    declared = {path.name.removesuffix(".avsc") for path in folder().iterdir()}
    assert set(TYPES) == {name for name in declared if (folder() / f"{name}.avsc").is_file()}
    assert set(TYPES) == {path.name for path in (folder() / "history").iterdir()}
    assert len(TYPES) == 10


@pytest.mark.parametrize("kind", RECORD_TYPES.values(), ids=lambda kind: kind.name)
def test_schema_and_table_agree_on_every_field(kind: RecordType) -> None:
    """Field by field, the schema says what the table of record types says, in the same order."""
    journey = [
        {"name": "type", "type": "string"},
        {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "dedupeKey", "type": "string"},
    ]
    fields: list[dict[str, Any]] = []
    for field in kind.fields:
        is_list = field.kind is FieldKind.TEXTS
        avro_type: Any = {"type": "array", "items": "string"} if is_list else field.kind.avro
        optional = {"type": ["null", avro_type], "default": None}
        fields.append({"name": field.name, **(optional if field.optional else {"type": avro_type})})
    schema = current_schema(kind.name)
    assert (kind.name, "campaign") == (schema["name"], schema["namespace"])
    assert journey + fields == schema["fields"]
