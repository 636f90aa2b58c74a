"""The diagram of the data flow shows what the trigger table wires."""

from campaign_workers.domain.running.triggers import (
    TRIGGERS,
    WORKERS,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
    Trigger,
    WorkflowTrigger,
)
from tests.docs.data_flow import ARROWS, BOXES, PICTURE, picture


def started_by(trigger: Trigger) -> str | None:
    """Return the name of the box that starts a worker, if the diagram names it like the table."""
    match trigger:
        case StreamTrigger(stream=name) | QueueTrigger(queue=name):
            return name
        case WorkflowTrigger(workflow=name):
            return name
    return None


def test_the_picture_is_up_to_date() -> None:
    """docs/images/data-flow.svg is what `python -m tests.docs.data_flow` writes."""
    assert PICTURE.read_text(encoding="utf-8") == picture()


def test_the_picture_shows_every_worker_once() -> None:
    """No worker is missing, none is invented."""
    drawn = [name for name, box in BOXES.items() if box.kind == "worker"]
    assert sorted(drawn) == sorted(WORKERS)
    assert all("".join((BOXES[name].title, BOXES[name].detail)) == name for name in drawn)


def test_every_trigger_has_an_arrow() -> None:
    """A stream, queue or workflow points at the workers that it starts, a schedule at its own."""
    arrows = {(source.removesuffix("Again"), target) for source, _, target, _ in ARROWS}
    for trigger in TRIGGERS:
        source = started_by(trigger)
        if source:
            assert (source, trigger.worker) in arrows
        if isinstance(trigger, ScheduleTrigger):
            assert any(
                BOXES[source].kind == "clock" and target == trigger.worker
                for source, target in arrows
                if source in BOXES
            )
