"""The template as CloudFormation reads it: loops unrolled, conditions decided, names in place."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
TEMPLATE: Final = DEPLOY / "template.yaml"
REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"

_NOTHING: Final = object()
_PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": _NOTHING,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
}
_LOOP: Final = "Fn::ForEach::"
_NAMES: Final = {
    "AWS::Athena::WorkGroup": ("Name", f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/"),
    "AWS::CloudWatch::Alarm": ("AlarmName", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"),
    "AWS::DynamoDB::Table": ("TableName", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"),
    "AWS::Glue::Database": ("DatabaseInput.Name", f"arn:aws:glue:{REGION}:{ACCOUNT}:database/"),
    "AWS::Kinesis::Stream": ("Name", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/"),
    "AWS::Logs::LogGroup": ("LogGroupName", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"),
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::"),
    "AWS::SNS::Topic": ("TopicName", f"arn:aws:sns:{REGION}:{ACCOUNT}:"),
    "AWS::SQS::Queue": ("QueueName", f"arn:aws:sqs:{REGION}:{ACCOUNT}:"),
    "AWS::Serverless::Function": ("FunctionName", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"),
    "AWS::Serverless::StateMachine": ("Name", f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:"),
}
"""Which property names a resource, and what its ARN has before the name."""
_REFERRED_BY_ARN: Final = {"AWS::Serverless::StateMachine", "AWS::SNS::Topic"}


class _Loader(yaml.SafeLoader):
    """Reads the short forms of intrinsic functions as the long ones."""


def _intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag == "Ref" else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def source() -> Mapping[str, Any]:
    """The template as it is written."""
    document: Mapping[str, Any] = yaml.load(TEMPLATE.read_text("utf-8"), Loader=_Loader)
    return document


class Stack:
    """The template with `parameters`, and defaults for the others."""

    def __init__(self, **parameters: Any) -> None:
        declared = source()["Parameters"]
        assert parameters.keys() <= declared.keys()
        self._parameters = {
            name: parameters.get(name, declaration["Default"])
            for name, declaration in declared.items()
        }
        self._raw = dict(self._unrolled(source()["Resources"], {}))
        self.resources: Mapping[str, Any] = {
            name: self._resolved(resource, scope)
            for name, (resource, scope) in self._raw.items()
            if "Condition" not in resource or self._condition(resource["Condition"])
        }
        self.outputs = {
            name: self._resolved(output, scope)
            for name, (output, scope) in self._unrolled(source()["Outputs"], {})
        }

    def of(self, kind: str) -> dict[str, Any]:
        """The properties of the resources of a type, by their logical names."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    @property
    def functions(self) -> dict[str, Any]:
        """The functions by their logical names, with what all of them have."""
        common = self._resolved(source()["Globals"]["Function"], {})
        return {
            name: {
                **common,
                **function,
                "LoggingConfig": common["LoggingConfig"] | function["LoggingConfig"],
                "Environment": common["Environment"]["Variables"]
                | function.get("Environment", {}).get("Variables", {}),
            }
            for name, function in self.of("AWS::Serverless::Function").items()
        }

    def arn(self, logical: str) -> str:
        """The ARN of a resource, as its attribute `Arn` gives it."""
        resource, scope = self._raw[logical]
        if resource["Type"] not in _NAMES:
            return f"arn of {logical}"
        ending = ":*" if resource["Type"] == "AWS::Logs::LogGroup" else ""
        return f"{_NAMES[resource['Type']][1]}{self._named(resource, scope)}{ending}"

    def _named(self, resource: Mapping[str, Any], scope: Mapping[str, str]) -> Any:
        value: Any = resource["Properties"]
        for step in _NAMES[resource["Type"]][0].split("."):
            value = value[step]
        return self._resolved(value, scope)

    def _unrolled(
        self, section: Mapping[str, Any], scope: Mapping[str, str]
    ) -> Iterator[tuple[str, tuple[Any, Mapping[str, str]]]]:
        for name, content in section.items():
            if not name.startswith(_LOOP):
                yield _filled(name, scope), (content, scope)
                continue
            variable, members, body = content
            for member in members:
                yield from self._unrolled(body, {**scope, variable: member})

    def _condition(self, name: str) -> bool:
        return bool(self._resolved(source()["Conditions"][name], {}))

    def _resolved(self, node: Any, scope: Mapping[str, str]) -> Any:
        if isinstance(node, list):
            items = [self._resolved(item, scope) for item in node]
            return [item for item in items if item is not _NOTHING]
        if not isinstance(node, dict):
            return node
        [first, *others] = node or [""]
        if not others and (function := _FUNCTIONS.get(first)):
            return function(self, node[first], scope)
        members = {name: self._resolved(value, scope) for name, value in node.items()}
        return {name: value for name, value in members.items() if value is not _NOTHING}

    def _ref(self, name: Any, scope: Mapping[str, str]) -> Any:
        name = self._resolved(name, scope)
        for names in (scope, _PSEUDO, self._parameters):
            if name in names:
                return names[name]
        resource, inner = self._raw[name]
        if resource["Type"] in _REFERRED_BY_ARN:
            return self.arn(name)
        return self._named(resource, inner) if resource["Type"] in _NAMES else name

    def _attribute(self, path: Any, scope: Mapping[str, str]) -> Any:
        logical, attribute = (self._resolved(part, scope) for part in path)
        return self.arn(logical) if attribute == "Arn" else self._ref(logical, scope)

    def _sub(self, content: Any, scope: Mapping[str, str]) -> str:
        text, given = content if isinstance(content, list) else (content, {})
        given = {name: self._resolved(value, scope) for name, value in given.items()}

        def value(found: re.Match[str]) -> str:
            name, _, attribute = found[1].partition(".")
            if name in given:
                return str(given[name])
            return str(
                self._attribute([name, attribute], scope) if attribute else self._ref(name, scope)
            )

        return re.sub(r"\$\{([\w:.]+)\}", value, text)

    def _if(self, content: Any, scope: Mapping[str, str]) -> Any:
        name, then, otherwise = content
        return self._resolved(then if self._condition(name) else otherwise, scope)

    def _equals(self, content: Any, scope: Mapping[str, str]) -> bool:
        one, other = self._resolved(content, scope)
        return str(one) == str(other)

    def _not(self, content: Any, scope: Mapping[str, str]) -> bool:
        return not self._resolved(content[0], scope)

    def _join(self, content: Any, scope: Mapping[str, str]) -> str:
        between, parts = self._resolved(content, scope)
        return str(between).join(parts)

    def _split(self, content: Any, scope: Mapping[str, str]) -> list[str]:
        at, text = self._resolved(content, scope)
        return str(text).split(at)

    def _found(self, content: Any, scope: Mapping[str, str]) -> Any:
        table, row, column = self._resolved(content, scope)
        return source()["Mappings"][table][row][column]


_FUNCTIONS: Final[Mapping[str, Any]] = {
    "Ref": Stack._ref,
    "Fn::GetAtt": Stack._attribute,
    "Fn::Sub": Stack._sub,
    "Fn::If": Stack._if,
    "Fn::Equals": Stack._equals,
    "Fn::Not": Stack._not,
    "Fn::Join": Stack._join,
    "Fn::Split": Stack._split,
    "Fn::FindInMap": Stack._found,
}


def _filled(text: str, scope: Mapping[str, str]) -> str:
    for name, value in scope.items():
        text = text.replace(f"${{{name}}}", value)
    return text


@cache
def stack() -> Stack:
    """The stack with every parameter at its default."""
    return Stack()


def logical(worker: str) -> str:
    """What the template calls a worker."""
    return worker[0].upper() + worker[1:]
