"""Generates docs/services.md from the OpenAPI documents.

Run `python -m tests.services.services_page`.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from campaign_workers.doubles.documents import METHODS, SERVICES, document

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "services.md"
PREFACE: Final = Path(__file__).with_name("services_page_preface.md")
SHARED: Final = ("X-Correlation-Id", "Idempotency-Key")

Node = Mapping[str, Any]


def services_page() -> str:
    """Return the content of the page."""
    parts = [PREFACE.read_text(encoding="utf-8"), *_problems()]
    for service in SERVICES:
        parts += _service(service)
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _problems() -> Iterator[str]:
    """Yield the section about the problems of all services but Slack."""
    seen: dict[str, tuple[str, Node]] = {}
    for service in SERVICES:
        for _, _, operation in _operations(service):
            for status, response in operation["responses"].items():
                for example in _examples(response, "application/problem+json").values():
                    seen.setdefault(example["type"], (f"{status}", response | {"example": example}))
    yield "## Problems\n"
    yield "| status | `type` | what it says |\n| --- | --- | --- |\n" + "\n".join(
        f"| {status} | `{name}` | {_line(response['description'])} |"
        for name, (status, response) in sorted(seen.items(), key=lambda item: item[1][0])
    )
    yield "One of them in full:\n"
    yield _json(seen["invalid"][1]["example"])


def _service(service: str) -> Iterator[str]:
    info = document(service)["info"]
    yield f"## {info['title']}\n"
    yield f"{info['summary']} {_line(info['description'])}\n"
    yield f"The document: [schemas/openapi/{service}.yaml](../schemas/openapi/{service}.yaml).\n"
    for path, method, operation in _operations(service):
        yield from _operation(path, method, operation)


def _operations(service: str) -> Iterator[tuple[str, str, Node]]:
    for path, item in document(service)["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method.upper(), item[method]


def _operation(path: str, method: str, operation: Node) -> Iterator[str]:
    yield f"### {operation['summary']}: `{method} {path}`\n"
    if operation.get("description"):
        yield f"{_line(operation['description'])}\n"
    parameters = [p for p in operation["parameters"] if p["name"] not in SHARED]
    if parameters:
        rows = "\n".join(_parameter(parameter) for parameter in parameters)
        yield f"| parameter | in | what it is |\n| --- | --- | --- |\n{rows}\n"
    if "requestBody" in operation:
        yield from _content("Request", operation["requestBody"])
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield from _content(f"Response {status}", response)
    others = [_other(*item) for item in operation["responses"].items() if item[0][0] != "2"]
    key = ", with an idempotency key" if _takes_key(operation) else ""
    yield (
        f"Sent as JSON{key}. Other responses: {', '.join(others)}.\n"
        if method == "POST"
        else (f"Other responses: {', '.join(others)}.\n")
    )


def _takes_key(operation: Node) -> bool:
    return any(
        p["name"] == "Idempotency-Key" and p.get("required") for p in operation["parameters"]
    )


def _parameter(node: Node) -> str:
    meaning = _describe(node.get("description"), node["schema"])
    return f"| `{node['name']}` | {node['in']} | {meaning} |"


def _content(title: str, node: Node) -> Iterator[str]:
    content = node.get("content", {}).get("application/json")
    if content is None:
        yield f"**{title}**: {_line(node['description'])} No body.\n"
        return
    yield f"**{title}**" + (f": {_line(node['description'])}\n" if "description" in node else "\n")
    rows = list(_fields(content["schema"]))
    if rows:
        yield "| field | what it is |\n| --- | --- |\n" + "\n".join(rows) + "\n"
    for example in content["examples"].values():
        yield _json(example["value"])


def _fields(schema: Node, prefix: str = "") -> Iterator[str]:
    """Yield a row for each field; fields of nested objects have their path."""
    for variant in schema.get("oneOf", ()):
        yield from _fields(variant, prefix)
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        optional = "" if name in required else "optional; "
        yield f"| `{path}` | {optional}{_describe(field.get('description'), field)} |"
        yield from _fields(field, f"{path}.")
        yield from _fields(field.get("items", {}), f"{path}[].")


def _describe(description: str | None, schema: Node) -> str:
    """Return the type of a value, its limits and its description."""
    limits = [
        f"{word} {schema[name] if name != 'default' else f'`{json.dumps(schema[name])}`'}"
        for name, word in (
            ("minimum", "at least"),
            ("maximum", "at most"),
            ("maxLength", "at most this long:"),
            ("maxItems", "items at most:"),
            ("default", "by default"),
        )
        if name in schema and schema[name] not in {"", None}
    ]
    parts = [_kind(schema), *limits]
    text = _line(description or schema.get("description", ""))
    return ", ".join(parts) + (f". {text}" if text else "")


def _kind(schema: Node) -> str:
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(_kind(variant) for variant in schema["oneOf"])
    kinds = schema.get("type", "object")
    names = kinds if isinstance(kinds, list) else [kinds]
    text = " or ".join(names)
    if "array" in names:
        text = text.replace("array", f"array of {_kind(schema['items'])}")
    return text if "format" not in schema else f"{text} ({schema['format']})"


def _other(status: str, response: Node) -> str:
    names = [example.get("type", example.get("error", "")) for example in _all_examples(response)]
    return f"{status} " + " or ".join(f"`{name}`" for name in dict.fromkeys(names))


def _all_examples(response: Node) -> list[Node]:
    return [e for media in response["content"] for e in _examples(response, media).values()]


def _examples(response: Node, media_type: str) -> dict[str, Node]:
    content = response.get("content", {}).get(media_type, {})
    return {name: example["value"] for name, example in content.get("examples", {}).items()}


def _json(value: Any) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```\n"


def _line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(services_page(), encoding="utf-8")
