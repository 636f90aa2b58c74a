"""Three frames of this package from a Lambda handler to its worker."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import pytest

import campaign_workers
from campaign_workers.container import Container
from campaign_workers.domain.errors import CampaignError
from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.entrypoints.handlers import lambda_handler
from campaign_workers.settings import Settings
from tests.entrypoints.envelopes import load_event
from tests.entrypoints.test_envelopes import EVERY

PACKAGE: Final = str(Path(campaign_workers.__file__).parent)
EVENTS_OF: Final = dict(reversed(EVERY))


def frames_of(frame: FrameType | None) -> Iterator[str]:
    """Yield the functions of this package on the stack, innermost first."""
    while frame:
        if frame.f_code.co_filename.startswith(PACKAGE):
            yield frame.f_code.co_qualname
        frame = frame.f_back


@pytest.mark.parametrize("worker", WORKERS)
def test_a_handler_calls_its_worker_through_one_function(worker: str) -> None:
    """The stack is: handler, run_worker, worker."""
    container = Container("memory", settings=Settings(profile="memory"))
    code: CodeType = type(container.build_worker(worker)).__call__.__code__
    stacks: list[list[str]] = []

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code is code:
            stacks.append(list(frames_of(frame)))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        lambda_handler(worker, lambda: container)(load_event(EVENTS_OF[worker]), None)
    except CampaignError:
        # An empty container may lack what the event names; the worker was called all the same.
        pass
    finally:
        sys.setprofile(before)
    assert stacks
    for stack in stacks:
        assert stack == [code.co_qualname, "run_worker", "lambda_handler.<locals>.handler"]
