"""Requests, checked against the document of their service before anybody acts on them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs
from jsonschema import ValidationError
from starlette.requests import Request

from campaign_workers.domain.records.types import parse_json
from campaign_workers.doubles.documents import Operation, Parameter
from campaign_workers.doubles.problems import Problem

_SAID: Final = {"maxItems": "too many", "maxLength": "too long", "minLength": "empty"}


@attrs.frozen(kw_only=True)
class Asked:
    """A request that is as documented."""

    parameters: Mapping[str, Any] = attrs.field(repr=False)
    body: Any = attrs.field(repr=False)

    @property
    def key(self) -> str:
        """The idempotency key."""
        return str(self.parameters["Idempotency-Key"])


def read(operation: Operation, request: Request, body: bytes) -> Asked:
    """The request, if it is as documented.

    Raises:
        Problem: it is not.
    """
    parameters = {p.name: _given(p, request) for p in operation.parameters}
    wrong = list(_wrong_parameters(operation, parameters))
    content = _content(request, body) if operation.body else None
    if operation.body:
        wrong += told("$", operation.body.iter_errors(content))
    if wrong:
        raise Problem("invalid", errors=tuple(dict.fromkeys(wrong)))
    return Asked(parameters=parameters, body=content)


def moment(text: str, field: str) -> datetime:
    """A date and time with an offset, in UTC.

    Raises:
        Problem: it is none.
    """
    try:
        given = datetime.fromisoformat(text)
        if given.tzinfo is not None:
            return given.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Problem("invalid", errors=((field, "no date and time with an offset"),))


def _given(parameter: Parameter, request: Request) -> Any:
    if parameter.place == "path":
        return request.path_params[parameter.name]
    if parameter.place == "header":
        return request.headers.get(parameter.name)
    if parameter.kind.get("type") == "array":
        texts = request.query_params.getlist(parameter.name)
        return [_number(text) for text in texts] or None
    return request.query_params.get(parameter.name)


def _number(text: str) -> int | str:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else text


def _wrong_parameters(operation: Operation, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in operation.parameters:
        value = given[parameter.name]
        if value is not None:
            yield from told(parameter.name, parameter.validator.iter_errors(value))
        elif parameter.required:
            yield parameter.name, "missing"


def _content(request: Request, body: bytes) -> Any:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem("invalid", errors=(("Content-Type", "not application/json"),))
    try:
        return parse_json(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Problem("invalid", errors=(("$", "no JSON"),)) from None


def told(root: str, errors: Iterable[ValidationError]) -> Iterator[tuple[str, str]]:
    """Each field that is wrong, and how; the library's own texts repeat the value."""
    for error in errors:
        place = root + _place(error)
        if error.validator == "required":
            required: Any = error.validator_value
            given: Any = error.instance
            yield from ((f"{place}.{name}", "missing") for name in required if name not in given)
        else:
            yield place, _SAID.get(str(error.validator), "wrong")


def _place(error: ValidationError) -> str:
    """Where in the body it is; names that the document does not know may be personal."""
    steps, places = iter(error.absolute_schema_path), iter(error.absolute_path)
    found = []
    for step in steps:
        if step == "properties":
            found.append(f".{next(steps)}")
            next(places)
        elif step == "items":
            found.append(f"[{next(places)}]")
        elif step == "additionalProperties":
            found.append(".*")
            # A field that must not be there is told by its object.
            next(places, None)
    return "".join(found)
