"""Response bodies as values; every field is checked, and errors name the field but no value."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import attrs
from cattrs import Converter, transform_error
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.gen import make_dict_structure_fn, override

from campaign_workers.adapters.http._client.requests import ServiceRequest
from campaign_workers.domain.codes import Assignment, AssignmentOutcome, AssignmentResult
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.wire import to_camel

_T = TypeVar("_T")

MAX_ASSIGNMENTS: Final = 2_500
"""Assignments of codes in one request, of the entry service and of the code service."""


@attrs.frozen(kw_only=True)
class CategoryCampaign:
    """The campaign of a category."""

    category_id: int
    campaign_id: str


@attrs.frozen(kw_only=True)
class CampaignIdsResponse:
    """Response of `findCampaigns`."""

    campaigns: tuple[CategoryCampaign, ...]


@attrs.frozen(kw_only=True)
class UserId:
    """The user id of a global user id."""

    global_user_id: str
    user_id: str


@attrs.frozen(kw_only=True)
class UserIdsResponse:
    """Response of `searchUsers`."""

    users: tuple[UserId, ...]


@attrs.frozen(kw_only=True)
class FanCode:
    """A code of a fan, and when it was assigned."""

    market_id: str | None = None
    code: str = attrs.field(repr=False)
    created: datetime


@attrs.frozen(kw_only=True)
class FanCodes:
    """The codes of a fan."""

    global_user_id: str
    codes: tuple[FanCode, ...]


@attrs.frozen(kw_only=True)
class CodesResponse:
    """Response of `searchCodes`."""

    fans: tuple[FanCodes, ...]


@attrs.frozen(kw_only=True)
class AssignmentItem:
    """The outcome of one assignment."""

    outcome: AssignmentOutcome
    reason: str | None = None


@attrs.frozen(kw_only=True)
class AssignmentsResponse:
    """Response of `assignCodes` and `assignPoolCodes`; the results have the request's order."""

    results: tuple[AssignmentItem, ...]


@attrs.frozen(kw_only=True)
class ReservationResponse:
    """Response of `reserveCodes`."""

    reserve_id: str
    codes: tuple[str, ...] = attrs.field(repr=False)
    expires: datetime


@attrs.frozen(kw_only=True)
class ReleaseResponse:
    """Response of `releaseCodes`: the number of released codes."""

    released: int


@attrs.frozen(kw_only=True)
class OfferCodeResponse:
    """Response of `createOfferCode`."""

    code: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class MessageResponse:
    """Response of `sendMessage`."""

    id: str
    state: str


def parse_response(response_type: type[_T], content: Any, request: ServiceRequest) -> _T:
    """Return the JSON content of a response as a value; unknown fields are ignored.

    Raises:
        RetryLater: it is not as documented; the message names the first wrong field.
        OutcomeUnknown: likewise, for a request that has an effect.
    """
    try:
        return _CONVERTER.structure(content, response_type)
    except Exception as error:  # noqa: BLE001
        # cattrs raises exception groups whose messages quote the wrong value.
        problem, _, field = transform_error(error, "", _problem)[0].partition(" @ ")
    raise request.malformed_response(to_camel(field).lstrip(".") or "body", problem)


def assignments_body(campaign_id: str, assignments: Sequence[Assignment]) -> dict[str, Any]:
    """Return the request body for assigning codes."""
    return {
        "campaignId": campaign_id,
        "assignments": [_assignment_to_json(assignment) for assignment in assignments],
    }


def parse_assignment_results(
    content: Any, request: ServiceRequest, expected: int
) -> tuple[AssignmentResult, ...]:
    """Return the results of `expected` assignments.

    Raises:
        OutcomeUnknown: their number differs, or they are not as documented.
    """
    results = parse_response(AssignmentsResponse, content, request).results
    if len(results) != expected:
        raise request.malformed_response("results", "not one result for each assignment")
    return tuple(
        AssignmentResult(outcome=result.outcome, reason=result.reason or "") for result in results
    )


def _assignment_to_json(assignment: Assignment) -> dict[str, Any]:
    created = assignment.created
    body = {
        "globalUserId": assignment.global_user_id,
        "code": assignment.code,
        "marketId": assignment.market_id,
        "userId": assignment.user_id,
        "created": None if created is None else iso_utc(created),
    }
    return {name: value for name, value in body.items() if value is not None}


def _problem(error: BaseException, _: Any) -> str:
    return "missing" if isinstance(error, KeyError) else "wrong"


def _exact_type(expected: type) -> Any:
    """Return a hook that refuses values of any other type, where cattrs would convert them."""

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not expected:
            raise TypeError("wrong type")
        return value

    return structure


def _parse_datetime(value: Any, _: Any) -> datetime:
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError("no UTC offset")
    return parsed.astimezone(UTC)


def _camel_case(attrs_class: Any) -> Any:
    names: dict[str, Any] = {
        field.name: override(rename=to_camel(field.name)) for field in attrs.fields(attrs_class)
    }
    structure = make_dict_structure_fn(attrs_class, _CONVERTER, **names)

    def from_object(value: Any, target: Any) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError("not an object")
        return structure(value, target)

    return from_object


def _from_list(tuple_type: Any) -> Any:
    structure = homogenous_tuple_structure_factory(tuple_type, _CONVERTER)

    def from_list(value: Any, target: Any) -> Any:
        if not isinstance(value, list):
            raise TypeError("not a list")
        return structure(value, target)

    return from_list


def _converter() -> Converter:
    converter = Converter()
    for scalar in (str, int, float, bool):
        converter.register_structure_hook(scalar, _exact_type(scalar))
    # A string enumeration is a subclass of str, so without a hook it would be left as text.
    converter.register_structure_hook(AssignmentOutcome, lambda value, _: AssignmentOutcome(value))
    converter.register_structure_hook(datetime, _parse_datetime)
    converter.register_structure_hook_factory(attrs.has, _camel_case)
    converter.register_structure_hook_factory(_is_tuple, _from_list)
    return converter


def _is_tuple(target: Any) -> bool:
    return getattr(target, "__origin__", None) is tuple


_CONVERTER: Final = _converter()
