"""The embedded runtime hands records to their consumers as Kinesis and Lambda do."""

from itertools import chain
from typing import Any

import pytest

from campaign_workers.adapters.local.journal import Run
from campaign_workers.adapters.local.runtime import Subscription
from campaign_workers.domain.errors import BadInput, RetryLater
from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import StreamTrigger
from tests.adapters.runtime_stage import STREAM, Killed, Stage, data, failing, report

ALL = StreamTrigger(worker="worker", stream=STREAM, batch_size=10, attempts=5)
HALVED = StreamTrigger(worker="worker", stream=STREAM, batch_size=10, attempts=5, bisect=True)
KEYS = ("a", "b", "c", "d")


def numbered(count: int, keys: tuple[str, ...] = KEYS) -> list[tuple[str, bytes]]:
    return [(keys[n % len(keys)], b"%d" % n) for n in range(count)]


def kill(_: Run) -> None:
    raise Killed


def test_records_come_in_batches_by_shard_and_in_order() -> None:
    """No batch is too large or of two shards, and every shard is read to its end in order."""
    stage = Stage(triggers=[ALL])
    stage.stream.put(numbered(64))
    stage.runtime.run_until_idle()
    by_shard: dict[str, list[str]] = {}
    for batch in stage.events():
        assert (batch.stream, 1 <= len(batch.records) <= 10) == (STREAM, True)
        by_shard.setdefault(batch.shard, []).extend(r.sequence for r in batch.records)
    assert by_shard.keys() == set(stage.stream.shards())
    assert all(sequences == sorted(set(sequences)) for sequences in by_shard.values())
    assert sorted(chain(*stage.batches())) == sorted(data for _, data in numbered(64))


def test_what_was_delivered_is_not_delivered_again() -> None:
    """Positions outlive the process: another one goes on where this one was."""
    stage = Stage(triggers=[ALL])
    stage.stream.put(numbered(5))
    stage.runtime.run_until_idle()
    stage.calls.clear()
    stage.another_process().run_until_idle()
    assert stage.calls == []
    stage.stream.put([("a", b"new")])
    stage.another_process().run_until_idle()
    assert stage.batches() == [[b"new"]]


def test_what_workers_put_is_delivered_too() -> None:
    """The runtime is idle only when nothing is left, also of what its own runs brought."""
    stage = Stage(triggers=[ALL])

    def act(batch: StreamBatch) -> Report:
        if batch.records[0].data == b"first":
            stage.stream.put([("b", b"second"), ("a", b"third")])
        return report()

    stage.act = act
    stage.stream.put([("a", b"first")])
    stage.runtime.run_until_idle()
    assert sorted(chain(*stage.batches())) == [b"first", b"second", b"third"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_process_delivers_the_very_batch_again(moment: str) -> None:
    """Nothing is lost, and what came meanwhile is no part of what is repeated."""
    stage = Stage(triggers=[ALL])
    if moment == "before":
        stage.act = failing(Killed(), times=1)
    else:
        stage.runtime.observe = kill
    stage.stream.put(numbered(3, ("a",)))
    with pytest.raises(Killed):
        stage.runtime.run_until_idle()
    stage.stream.put([("a", b"later")])
    stage.another_process().run_until_idle()
    assert stage.batches() == [[b"0", b"1", b"2"], [b"0", b"1", b"2"], [b"later"]]


def test_a_failing_batch_is_tried_and_then_given_up() -> None:
    """Five attempts, longer and longer apart; then a dead letter, and the stream goes on."""
    stage = Stage(triggers=[ALL], act=failing(RetryLater("busy"), times=5))
    stage.stream.put(numbered(12, ("a",)))
    before = stage.clock.now()
    stage.runtime.run_until_idle()
    first, second = [b"%d" % n for n in range(10)], [b"10", b"11"]
    assert stage.batches() == [first] * 5 + [second]
    [letter] = stage.dead_letters()
    shard = stage.events()[0].shard
    assert letter.wire() == {
        "worker": "worker",
        "source": f"{STREAM}/{shard}/{stage.events()[0].records[0].sequence}",
        "attempts": 5,
        "reason": "RetryLater: busy",
    }
    assert (stage.clock.now() - before).total_seconds() == 1 + 2 + 4 + 8


@pytest.mark.parametrize("times", range(5))
def test_a_batch_that_succeeds_in_time_is_no_dead_letter(times: int) -> None:
    """Any attempt may be the good one."""
    stage = Stage(triggers=[ALL], act=failing(RetryLater("busy"), times=times))
    stage.stream.put(numbered(3, ("a",)))
    stage.runtime.run_until_idle()
    assert len(stage.calls) == times + 1
    assert stage.dead_letters() == ()


def test_an_unforeseen_error_is_retried_and_not_quoted() -> None:
    """Whatever a worker raises; its text may hold a fan's data and is not kept."""
    stage = Stage(triggers=[ALL], act=failing(ValueError("fan@mail.example")))
    stage.stream.put([("a", b"x")])
    stage.runtime.run_until_idle()
    assert [letter.reason for letter in stage.dead_letters()] == ["ValueError"]


@pytest.mark.parametrize("poison", range(7))
def test_halving_isolates_one_bad_record(poison: int) -> None:
    """The bad record alone goes to the dead letters; its neighbours are delivered, in order."""
    delivered: list[bytes] = []

    def act(batch: StreamBatch) -> Report:
        if b"%d" % poison in data(batch):
            raise BadInput("poison")
        delivered.extend(data(batch))
        return report()

    stage = Stage(triggers=[HALVED], act=act)
    stage.stream.put(numbered(7, ("a",)))
    stage.runtime.run_until_idle()
    assert delivered == [b"%d" % n for n in range(7) if n != poison]
    [letter] = stage.dead_letters()
    [sequence] = [r.sequence for r in stage.events()[0].records if r.data == b"%d" % poison]
    assert (letter.source.rsplit("/", 1)[-1], letter.attempts) == (sequence, 5)
    assert letter.reason == "BadInput: poison"
    assert stage.batches().count([b"%d" % poison]) == 5


def test_halving_gives_up_nothing_that_only_failed_for_a_while() -> None:
    """A system that fails once does not send a record to the dead letters."""
    stage = Stage(triggers=[HALVED], act=failing(RetryLater("busy"), times=3))
    stage.stream.put(numbered(8, ("a",)))
    stage.runtime.run_until_idle()
    assert stage.dead_letters() == ()
    assert len({run.source for run in stage.observed}) == len(stage.observed)


@pytest.mark.parametrize(
    "passed",
    [
        b'{"type": "codeBan", "code": "x"}',
        b'{"code":"x","type":"codeBan"}',
        rb'{"type":"\u0063odeBan"}',
    ],
)
def test_a_filter_lets_its_type_through(passed: bytes) -> None:
    """Only records of the type come, however it is spelled; what is stopped is done with."""
    stopped = (
        b'{"type": "codeBan2"}',
        b'{"type": "scoring", "reason": "codeBan"}',
        b'{"x": {"type": "codeBan"}}',
        b'["type", "codeBan"]',
        b"codeBan",
        b"\xff codeBan",
        b"",
    )
    filtered = StreamTrigger(
        worker="worker", stream=STREAM, batch_size=3, attempts=5, record_type="codeBan"
    )
    stage = Stage(triggers=[filtered])
    stage.stream.put([("a", data) for data in (*stopped, passed, *stopped, passed)])
    stage.runtime.run_until_idle()
    assert list(chain(*stage.batches())) == [passed, passed]
    assert all(stage.batches())
    stage.calls.clear()
    stage.another_process().run_until_idle()
    assert stage.calls == []


def test_every_consumer_of_a_stream_gets_every_record() -> None:
    """Each has a position of its own."""
    triggers = [ALL, StreamTrigger(worker="other", stream=STREAM, batch_size=2, attempts=5)]
    stage = Stage(triggers=triggers)
    stage.stream.put(numbered(6))
    stage.runtime.run_until_idle()
    for worker in ("worker", "other"):
        seen = [
            record.data for name, batch in stage.calls if name == worker for record in batch.records
        ]
        assert sorted(seen) == [b"%d" % n for n in range(6)]


def test_a_subscription_is_fed_but_kept_out_of_the_books() -> None:
    """Other teams' consumers get records like workers do, and are no runs of ours."""
    fed: list[bytes] = []
    stage = Stage(triggers=[])
    feed = Subscription(name="entries", stream=STREAM, consume=lambda b: fed.extend(data(b)))
    stage.stream.put(numbered(5))
    for _ in range(2):
        stage.another_process(feed).run_until_idle()
    assert sorted(fed) == [b"%d" % n for n in range(5)]
    assert list(stage.runtime.journal.runs()) == []


def test_a_failing_subscription_gets_its_records_again() -> None:
    """Its error comes out, and its position stays."""
    stage, fed = Stage(triggers=[]), list[Any]()
    stage.stream.put(numbered(3, ("a",)))

    def fail(_: StreamBatch) -> None:
        raise RetryLater("down")

    with pytest.raises(RetryLater):
        stage.another_process(Subscription(name="e", stream=STREAM, consume=fail)).run_until_idle()
    again = Subscription(name="e", stream=STREAM, consume=lambda batch: fed.append(data(batch)))
    stage.another_process(again).run_until_idle()
    assert fed == [[b"0", b"1", b"2"]]
