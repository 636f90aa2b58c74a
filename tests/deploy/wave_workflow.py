"""The state machine of a wave: its definition, and an interpreter of the language it uses."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from tests.deploy.stack import DEPLOY

DEFINITION: Final[Mapping[str, Any]] = json.loads(
    (DEPLOY / "sms-wave.asl.json").read_text(encoding="utf-8")
)
STATES: Final[Mapping[str, Any]] = DEFINITION["States"]
NO_ATTEMPT: Final = "Lambda.TooManyRequestsException"
"""The function was never called: it had no room."""
ANY: Final = "States.ALL"

Call = Callable[[dict[str, Any]], Any]


class Failed(Exception):
    """A call failed with the error `name`."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(name)
        self.name, self.cause = name, cause


@attrs.define
class Execution:
    """One run of the definition: its states in order, how it ended, and what it waited for."""

    call: Call
    visited: list[str] = attrs.field(factory=list)
    payloads: list[dict[str, Any]] = attrs.field(factory=list)
    waits: list[datetime] = attrs.field(factory=list)
    output: Any = None
    error: str | None = None

    def run(self, given: dict[str, Any]) -> "Execution":
        """Go from the first state to a last one."""
        name: str | None = DEFINITION["StartAt"]
        data: Any = given
        while name is not None:
            self.visited.append(name)
            data, name = getattr(self, f"_{STATES[name]['Type'].lower()}")(STATES[name], data)
        self.output = data
        return self

    def _pass(self, state: Mapping[str, Any], data: Any) -> tuple[Any, str | None]:
        taken = at(data, state.get("InputPath", "$"))
        if "Parameters" in state:
            taken = filled(state["Parameters"], taken)
        result = state.get("Result", taken)
        put = placed(data, state.get("ResultPath", "$"), result)
        return at(put, state.get("OutputPath", "$")), state.get("Next")

    def _task(self, state: Mapping[str, Any], data: Any) -> tuple[Any, str | None]:
        payload = filled(state["Parameters"], data)["Payload"]
        try:
            answer = {"Payload": self._tried(state.get("Retry", ()), payload)}
        except Failed as failure:
            caught = next(c for c in state["Catch"] if covers(c["ErrorEquals"], failure.name))
            result = {"Error": failure.name, "Cause": failure.cause}
            return placed(data, caught["ResultPath"], result), caught["Next"]
        selected = filled(state["ResultSelector"], answer) if "ResultSelector" in state else answer
        return placed(data, state["ResultPath"], selected), state["Next"]

    def _tried(self, retriers: Any, payload: dict[str, Any]) -> Any:
        used: dict[int, int] = {}
        while True:
            self.payloads.append(payload)
            try:
                return json.loads(json.dumps(self.call(payload)))
            except Failed as failure:
                number, retrier = next(
                    (n, r) for n, r in enumerate(retriers) if covers(r["ErrorEquals"], failure.name)
                )
                used[number] = used.get(number, 0) + 1
                if used[number] > retrier["MaxAttempts"]:
                    raise

    def _choice(self, state: Mapping[str, Any], data: Any) -> tuple[Any, str | None]:
        for choice in state["Choices"]:
            if is_present(data, choice["Variable"]) is choice["IsPresent"]:
                return data, choice["Next"]
        return data, state["Default"]

    def _wait(self, state: Mapping[str, Any], data: Any) -> tuple[Any, str | None]:
        self.waits.append(datetime.fromisoformat(at(data, state["TimestampPath"])))
        return data, state["Next"]

    def _fail(self, state: Mapping[str, Any], data: Any) -> tuple[Any, None]:
        self.error = at(data, state["ErrorPath"])
        return None, None


def covers(names: list[str], error: str) -> bool:
    """Whether a retrier or a catcher is for this error."""
    return error in names or ANY in names


def at(data: Any, path: str) -> Any:
    """Return the value at a path such as `$.request.cursor`."""
    for step in path.split(".")[1:]:
        data = data[step]
    return data


def is_present(data: Any, path: str) -> bool:
    """Return whether there is a value at a path."""
    try:
        at(data, path)
    except (KeyError, TypeError):
        return False
    return True


def placed(data: Any, path: str | None, value: Any) -> Any:
    """`data` with `value` at a path; unchanged if there is no path."""
    if path is None:
        return data
    if path == "$":
        return value
    head, *rest = path.split(".")[1:]
    inner = placed(data.get(head, {}), ".".join(["$", *rest]), value)
    return {**data, head: inner}


def filled(template: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """A payload template with what its paths point at."""
    return {
        name.removesuffix(".$"): at(data, value) if name.endswith(".$") else value
        for name, value in template.items()
    }


def attempts_of(state: str) -> int:
    """How often a task is tried when whatever it calls fails."""
    [last] = [r for r in STATES[state]["Retry"] if r["ErrorEquals"] == [ANY]]
    return int(last["MaxAttempts"]) + 1
