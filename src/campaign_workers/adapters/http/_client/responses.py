"""Answers as values: every field checked, and what is wrong told by its place alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import attrs
from cattrs import Converter, transform_error
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.gen import make_dict_structure_fn, override

from campaign_workers.adapters.http._client.requests import Call
from campaign_workers.domain.codes.assignments import Outcome
from campaign_workers.domain.wire import to_camel

_T = TypeVar("_T")


@attrs.frozen(kw_only=True)
class FoundCampaign:
    """The campaign of a category."""

    category_id: int
    campaign_id: str


@attrs.frozen(kw_only=True)
class FoundCampaigns:
    """Campaigns of categories."""

    campaigns: tuple[FoundCampaign, ...]


@attrs.frozen(kw_only=True)
class FoundUser:
    """Who a global user id is."""

    global_user_id: str
    user_id: str


@attrs.frozen(kw_only=True)
class FoundUsers:
    """Users of global user ids."""

    users: tuple[FoundUser, ...]


@attrs.frozen(kw_only=True)
class Given:
    """A code that a fan has."""

    market_id: str | None = None
    code: str = attrs.field(repr=False)
    created: datetime


@attrs.frozen(kw_only=True)
class FanCodes:
    """The codes of a fan."""

    global_user_id: str
    codes: tuple[Given, ...]


@attrs.frozen(kw_only=True)
class FoundCodes:
    """The codes of fans."""

    fans: tuple[FanCodes, ...]


@attrs.frozen(kw_only=True)
class Result:
    """What became of an assignment."""

    outcome: Outcome
    reason: str | None = None


@attrs.frozen(kw_only=True)
class Results:
    """What became of assignments, in their order."""

    results: tuple[Result, ...]


@attrs.frozen(kw_only=True)
class Reserved:
    """A reservation as it is now."""

    reserve_id: str
    codes: tuple[str, ...] = attrs.field(repr=False)
    expires: datetime


@attrs.frozen(kw_only=True)
class Released:
    """How many codes were given back."""

    released: int


@attrs.frozen(kw_only=True)
class Available:
    """How many codes are available."""

    available: int


@attrs.frozen(kw_only=True)
class MadeCode:
    """An offer code."""

    code: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class AcceptedText:
    """A text that was accepted."""

    id: str
    state: str


def read(kind: type[_T], content: Any, call: Call) -> _T:
    """The JSON of an answer as a value; fields that nobody asked for are left out.

    Raises:
        RetryLater: it is not as documented; the message names the first field that is wrong.
        OutcomeUnknown: likewise, and the call changes something.
    """
    try:
        return _CONVERTER.structure(content, kind)
    except Exception as error:  # noqa: BLE001
        # The library's errors come in groups, and their texts repeat what is wrong.
        problem, _, field = transform_error(error, "", _problem)[0].partition(" @ ")
    raise call.misread(to_camel(field).lstrip(".") or "the whole", problem)


def _problem(error: BaseException, _: Any) -> str:
    return "missing" if isinstance(error, KeyError) else "wrong"


def _exactly(kind: type) -> Any:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise TypeError("another type")
        return value

    return structure


def _moment(value: Any, _: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment.astimezone(UTC)


def _camel_case(kind: Any) -> Any:
    names: dict[str, Any] = {
        field.name: override(rename=to_camel(field.name)) for field in attrs.fields(kind)
    }
    structure = make_dict_structure_fn(kind, _CONVERTER, **names)

    def from_object(value: Any, wanted: Any) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError("no object")
        return structure(value, wanted)

    return from_object


def _from_list(kind: Any) -> Any:
    structure = homogenous_tuple_structure_factory(kind, _CONVERTER)

    def from_list(value: Any, wanted: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError("no list")
        return structure(value, wanted)

    return from_list


def _converter() -> Converter:
    converter = Converter()
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    # An enumeration of texts is a text too, and would be taken for one.
    converter.register_structure_hook(Outcome, lambda value, _: Outcome(value))
    converter.register_structure_hook(datetime, _moment)
    converter.register_structure_hook_factory(attrs.has, _camel_case)
    converter.register_structure_hook_factory(_is_tuple, _from_list)
    return converter


def _is_tuple(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is tuple


_CONVERTER: Final = _converter()
