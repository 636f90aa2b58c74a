"""Requests to the doubles, validated against the OpenAPI document before an operation runs."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs
from jsonschema import ValidationError
from starlette.requests import Request

from campaign_workers.domain.records.types import parse_json
from campaign_workers.doubles.documents import Operation, Parameter
from campaign_workers.doubles.problems import Problem

_PROBLEMS: Final = {"maxItems": "too many", "maxLength": "too long", "minLength": "empty"}


@attrs.frozen(kw_only=True)
class ValidatedRequest:
    """The parameters and the body of a request that matches its document."""

    parameters: Mapping[str, Any] = attrs.field(repr=False)
    body: Any = attrs.field(repr=False)

    @property
    def key(self) -> str:
        """The idempotency key."""
        return str(self.parameters["Idempotency-Key"])


def validate_request(operation: Operation, request: Request, body: bytes) -> ValidatedRequest:
    """Return the parameters and the body of a request.

    Raises:
        Problem: they do not match the document; it lists every wrong field.
    """
    parameters = {p.name: _parameter_value(p, request) for p in operation.parameters}
    errors = list(_parameter_errors(operation, parameters))
    content = _parse_body(request, body) if operation.body else None
    if operation.body:
        errors += describe_errors("$", operation.body.iter_errors(content))
    if errors:
        raise Problem("invalid", errors=tuple(dict.fromkeys(errors)))
    return ValidatedRequest(parameters=parameters, body=content)


def parse_datetime(text: str, field: str) -> datetime:
    """Return a date and time with an offset, in UTC.

    Raises:
        Problem: the text is not a date and time, or has no offset.
    """
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Problem("invalid", errors=((field, "not a date and time with an offset"),))


def describe_errors(root: str, errors: Iterable[ValidationError]) -> Iterator[tuple[str, str]]:
    """Yield each wrong field and its problem; jsonschema's own messages quote the value."""
    for error in errors:
        place = root + _place(error)
        if error.validator == "required":
            required: Any = error.validator_value
            given: Any = error.instance
            yield from ((f"{place}.{name}", "missing") for name in required if name not in given)
        else:
            yield place, _PROBLEMS.get(str(error.validator), "wrong")


def _parameter_value(parameter: Parameter, request: Request) -> Any:
    if parameter.place == "path":
        return request.path_params[parameter.name]
    if parameter.place == "header":
        return request.headers.get(parameter.name)
    if parameter.schema.get("type") == "array":
        texts = request.query_params.getlist(parameter.name)
        return [_parse_number(text) for text in texts] or None
    return request.query_params.get(parameter.name)


def _parse_number(text: str) -> int | str:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else text


def _parameter_errors(operation: Operation, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in operation.parameters:
        value = given[parameter.name]
        if value is not None:
            yield from describe_errors(parameter.name, parameter.validator.iter_errors(value))
        elif parameter.required:
            yield parameter.name, "missing"


def _parse_body(request: Request, body: bytes) -> Any:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem("invalid", errors=(("Content-Type", "not application/json"),))
    try:
        return parse_json(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Problem("invalid", errors=(("$", "not JSON"),)) from None


def _place(error: ValidationError) -> str:
    """Return the path of the wrong value; names that the document lacks may be personal."""
    steps, places = iter(error.absolute_schema_path), iter(error.absolute_path)
    path = []
    for step in steps:
        if step == "properties":
            path.append(f".{next(steps)}")
            next(places)
        elif step == "items":
            path.append(f"[{next(places)}]")
        elif step == "additionalProperties":
            path.append(".*")
            # An unexpected field is reported with its object, whose path ends here.
            next(places, None)
    return "".join(path)
