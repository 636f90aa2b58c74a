"""Records of every type, as other teams' services would write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from campaign_workers.domain.records.types import RECORD_TYPES, Field, FieldKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
text = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", " ", "\n"]),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.sampled_from(["", "", "\t"]),
)
"""Texts, half of them with white space around."""

ids = text.filter(str.strip)
whole = st.integers(-(2**53) + 1, 2**53 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False) | whole
moments = st.integers(0, 2**42).map(lambda ms: EPOCH + timedelta(milliseconds=ms, microseconds=7))
json_values = st.recursive(
    st.none() | st.booleans() | whole | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
VALUES = {
    FieldKind.TEXT: text,
    FieldKind.LONG: whole,
    FieldKind.INT: whole,
    FieldKind.DOUBLE: numbers,
    FieldKind.FLAG: st.booleans(),
}


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Right values of a field, null where it is optional."""
    if field.choices:
        values: st.SearchStrategy[Any] = st.sampled_from(field.choices)
    elif field.kind is FieldKind.TEXTS:
        values = st.lists(text, max_size=field.max_items or 6)
    else:
        values = VALUES[field.kind] if field.may_be_empty else ids
    return values | st.none() if field.optional else values


@st.composite
def wire_records(draw: st.DrawFn, *types: str) -> dict[str, Any]:
    """A right record of one of the types as a JSON object, perhaps with unheard-of fields."""
    kind = RECORD_TYPES[draw(st.sampled_from(types or tuple(RECORD_TYPES)))]
    record = {field.name: draw(values_of(field)) for field in kind.fields}
    if kind.one_of:
        record[draw(st.sampled_from(kind.one_of))] = draw(ids)
    strange = draw(st.dictionaries(text.map("x-{}".format), json_values, max_size=2))
    created = draw(moments).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**strange, **record, "type": kind.name, "created": created}
