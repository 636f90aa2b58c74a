"""Functions of a few lines, to see what the emulator does with functions."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any, Final, TypeVar
from uuid import uuid4

Found = TypeVar("Found")

TRUSTED: Final = ("lambda.amazonaws.com", "states.amazonaws.com")
PATIENCE_SECONDS: Final = 120.0


def zipped(source: str) -> bytes:
    """A zip with the module `app`, the same bytes for the same source."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), source)
    return content.getvalue()


def role(client: Callable[[str], Any], *actions: str) -> str:
    """A role that may do these actions, such as `s3:*`; its ARN."""
    name = f"small-{uuid4().hex[:12]}"
    trusted = {"Effect": "Allow", "Principal": {"Service": TRUSTED}, "Action": "sts:AssumeRole"}
    made = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trusted))
    if actions:
        allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        client("iam").put_role_policy(
            RoleName=name, PolicyName="own", PolicyDocument=_policy(allowed)
        )
    return str(made["Role"]["Arn"])


def _policy(statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make(
    client: Callable[[str], Any], source: str, *, may: tuple[str, ...] = ("*",), **settings: Any
) -> str:
    """A function that runs `handler` of `source` and may do what is said; its name."""
    name = f"small-{uuid4().hex[:12]}"
    client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=role(client, *may),
        Handler="app.handler",
        Code={"ZipFile": zipped(source)},
        **{"Timeout": 30, **settings},
    )
    return name


def call(client: Callable[[str], Any], function: str, event: Any = None) -> Any:
    """What a function answers, be it an error."""
    answer = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event or {}))
    return json.loads(answer["Payload"].read())


def eventually(look: Callable[[], Found], *, seconds: float = PATIENCE_SECONDS) -> Found:
    """What `look` finds as soon as it is anything, or after so long."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return found
