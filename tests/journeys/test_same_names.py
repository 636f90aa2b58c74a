"""A worker has the same name in every place."""

import importlib
import json
import re
from collections.abc import Iterator
from functools import singledispatch
from pathlib import Path
from typing import NoReturn

import pytest

from campaign_workers.domain.running.triggers import (
    TRIGGERS,
    WORKERS,
    InvokeTrigger,
    ObjectTrigger,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
    Trigger,
    WorkflowTrigger,
)
from campaign_workers.domain.wire import to_snake
from campaign_workers.entrypoints import handlers

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "campaign_workers"
PAGES = ROOT / "docs" / "workers"
SHARED_BY_HANDLERS = {
    "cli",
    "envelopes",
    "handlers",
    "invocations",
    "logs",
}

MODULES = {to_snake(worker) for worker in WORKERS}


def modules(room: str) -> set[str]:
    """Names of the modules and packages in a room of the package."""
    found = (path for path in (PACKAGE / room).iterdir() if path.suffix in {".py", ""})
    return {path.stem for path in found if not path.name.startswith("_")}


def test_there_is_a_module_for_each_worker_and_no_other() -> None:
    """`workers/` has the fifteen, and each says its own name."""
    assert len(WORKERS) == 15
    assert modules("workers") == MODULES
    for worker in WORKERS:
        module = importlib.import_module(f"campaign_workers.workers.{to_snake(worker)}")
        assert worker == module.WORKER


def test_there_is_an_entrypoint_for_each_worker_and_no_other() -> None:
    """`entrypoints/` has the fifteen handlers, besides what they share."""
    assert modules("entrypoints") - SHARED_BY_HANDLERS == MODULES


@pytest.mark.parametrize("worker", WORKERS)
def test_a_handler_runs_the_worker_of_its_name(
    worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entrypoint starts an invocation of the worker that its module is named for."""

    def start(container: object, worker: str, context: object) -> NoReturn:
        raise LookupError(worker)

    monkeypatch.setattr(handlers, "_container_for", lambda _: None)
    monkeypatch.setattr(handlers, "invocation", start)
    entrypoint = importlib.import_module(f"campaign_workers.entrypoints.{to_snake(worker)}")
    with pytest.raises(LookupError, match=f"^{worker}$"):
        entrypoint.handler({"key": 1}, None)


def test_each_worker_has_tests_of_its_name() -> None:
    """`tests/workers/` has a `test_{worker}.py` for each of the fifteen."""
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests/workers").glob("test_*")}
    assert tested >= MODULES


def test_there_is_a_page_for_each_worker_and_no_other() -> None:
    """`docs/workers/` has the fifteen pages, each with its worker for a title."""
    assert {path.stem for path in PAGES.iterdir()} == set(WORKERS)
    for worker in WORKERS:
        assert page(worker).startswith(f"# {worker}\n")


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.worker)
def test_a_page_says_what_starts_its_worker(trigger: Trigger) -> None:
    """Every fact of the trigger table stands in the `started by` of the worker's page."""
    [started_by] = re.findall(r"^\| started by \| (.*) \|$", page(trigger.worker), re.MULTILINE)
    assert not [fact for fact in facts(trigger) if not re.search(fact, started_by)], started_by


def page(worker: str) -> str:
    """The text of a worker's page."""
    return (PAGES / f"{worker}.md").read_text(encoding="utf-8")


@singledispatch
def facts(trigger: Trigger) -> Iterator[str]:
    """What a page has to say of a trigger, as patterns."""
    raise NotImplementedError(trigger)


@facts.register
def _(trigger: ObjectTrigger) -> Iterator[str]:
    yield rf"`{re.escape(trigger.prefix)}\S+{re.escape(trigger.suffix)}`"


@facts.register
def _(trigger: StreamTrigger) -> Iterator[str]:
    yield f"`{trigger.stream}`"
    yield rf"\b{trigger.batch_size} records\b"
    if trigger.record_type:
        yield f"`{trigger.record_type}`"


@facts.register
def _(trigger: QueueTrigger) -> Iterator[str]:
    yield f"`{trigger.queue}`"


@facts.register
def _(trigger: ScheduleTrigger) -> Iterator[str]:
    rate = re.fullmatch(r"rate\((.*)\)", trigger.schedule)
    yield f"every {rate[1]}" if rate else re.escape(f"`{trigger.schedule}`")
    if trigger.payload:
        yield re.escape(f"`{json.dumps(trigger.payload)}`")


@facts.register
def _(trigger: InvokeTrigger) -> Iterator[str]:
    yield re.escape(trigger.caller)


@facts.register
def _(trigger: WorkflowTrigger) -> Iterator[str]:
    yield f"`{trigger.workflow}`"
