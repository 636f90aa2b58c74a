"""The embedded runtime calls workers for objects, messages and other systems."""

import pytest

from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.domain.errors import BadInput, RetryLater
from campaign_workers.domain.running.events import ObjectCreated, QueueMessage
from campaign_workers.domain.running.triggers import ObjectTrigger, QueueTrigger, WorkflowTrigger
from tests.adapters.runtime_stage import BUCKET, NOON, QUEUE, Killed, Stage, failing, report

FILES = ObjectTrigger(worker="worker", bucket=BUCKET, prefix="scored/", suffix=".txt", attempts=3)
MESSAGES = QueueTrigger(worker="worker", queue=QUEUE, attempts=5)
STEPS = WorkflowTrigger(worker="worker", workflow="machine", attempts=4)


class TestObjects:
    """What a bucket's notifications do."""

    def test_a_written_object_calls_its_worker_with_its_version(self) -> None:
        """Each version once, put or copied, with bucket, key and etag."""
        stage = Stage(triggers=[FILES])
        infos = [
            stage.bucket.put("scored/a b+c.txt", b"1"),
            stage.bucket.put("scored/a b+c.txt", b"2"),
            stage.bucket.copy("scored/a b+c.txt", "scored/copy.txt"),
        ]
        stage.runtime.run_until_idle()
        stage.runtime.run_until_idle()
        expected = [ObjectCreated(bucket=BUCKET, key=i.key, etag=i.etag) for i in infos]
        assert stage.events() == expected

    @pytest.mark.parametrize(
        "key", ["scored.txt", "scored/a.csv", "Scored/a.txt", "x/scored/a.txt", "scored/a.txt.gz"]
    )
    def test_another_key_starts_no_worker(self, key: str) -> None:
        """Prefix and suffix both must fit."""
        stage = Stage(triggers=[FILES])
        stage.bucket.put(key, b"")
        stage.runtime.run_until_idle()
        assert stage.calls == []

    def test_another_bucket_starts_no_worker(self) -> None:
        """The same key elsewhere is something else."""
        stage = Stage(triggers=[FILES])
        info = MemoryObjectStore(stage.clock).put("scored/a.txt", b"")
        stage.runtime.object_created("other", info)
        stage.runtime.run_until_idle()
        assert stage.calls == []

    def test_two_triggers_call_two_workers(self) -> None:
        """Each worker that has a trigger for the object receives its event."""
        more = ObjectTrigger(worker="other", bucket=BUCKET, prefix="sc", suffix="", attempts=3)
        stage = Stage(triggers=[FILES, more])
        stage.bucket.put("scored/a.txt", b"")
        stage.runtime.run_until_idle()
        assert sorted(worker for worker, _ in stage.calls) == ["other", "worker"]

    def test_an_event_outlives_the_process(self) -> None:
        """The next process handles what was written; a failed batch is delivered again."""
        stage = Stage(triggers=[FILES], act=failing(Killed(), times=1))
        for key in ("scored/a.txt", "scored/b.txt"):
            stage.bucket.put(key, b"")
        with pytest.raises(Killed):
            stage.another_process().run_until_idle()
        stage.another_process().run_until_idle()
        assert [event.key[-5:] for event in stage.events()] == ["a.txt", "a.txt", "b.txt"]

    def test_a_failing_file_is_tried_three_times(self) -> None:
        """Then its key is a dead letter, and other files go on."""
        stage = Stage(triggers=[FILES], act=failing(BadInput("no header"), times=3))
        stage.bucket.put("scored/bad.txt", b"")
        stage.bucket.put("scored/good.txt", b"")
        stage.runtime.run_until_idle()
        assert [event.key[7:] for event in stage.events()] == ["bad.txt"] * 3 + ["good.txt"]
        [letter] = stage.dead_letters()
        assert (letter.worker, letter.source) == ("worker", "scored/bad.txt")
        assert (letter.attempts, letter.reason) == (3, "BadInput: no header")


class TestMessages:
    """What a queue with a redrive policy does."""

    def test_a_message_is_gone_after_success(self) -> None:
        """Each is delivered once, in order, and deleted."""
        stage = Stage(triggers=[MESSAGES])
        stage.queue.send(["1", "2", "3"])
        stage.runtime.run_until_idle()
        assert [event.body for event in stage.events()] == ["1", "2", "3"]
        assert all(isinstance(event, QueueMessage) for event in stage.events())
        assert stage.queue.depth() == 0

    def test_a_failing_message_is_tried_five_times(self) -> None:
        """Then it is a dead letter and leaves the queue; the others are delivered."""
        stage = Stage(triggers=[MESSAGES], act=failing(RetryLater("busy"), times=5))
        stage.queue.send(["bad", "good"])
        stage.runtime.run_until_idle()
        assert [event.body for event in stage.events()] == ["bad"] * 5 + ["good"]
        assert len({event.message_id for event in stage.events()}) == 2
        [letter] = stage.dead_letters()
        assert (letter.worker, letter.source, letter.attempts) == ("worker", QUEUE, 5)
        assert (letter.reason, stage.queue.depth()) == ("RetryLater: busy", 0)

    def test_a_message_of_a_killed_process_comes_again(self) -> None:
        """What was under way is not lost."""
        stage = Stage(triggers=[MESSAGES], act=failing(Killed(), times=1))
        stage.queue.send(["x"])
        with pytest.raises(Killed):
            stage.runtime.run_until_idle()
        assert stage.queue.depth() == 1
        stage.another_process().run_until_idle()
        assert ([event.body for event in stage.events()], stage.queue.depth()) == (["x", "x"], 0)
        assert stage.dead_letters() == ()

    def test_a_message_that_kills_every_process_is_given_up(self) -> None:
        """Receipts are counted by the queue, so that no message blocks it for ever."""
        stage = Stage(triggers=[MESSAGES], act=failing(Killed(), times=5))
        stage.queue.send(["deadly", "good"])
        for _ in range(5):
            with pytest.raises(Killed):
                stage.another_process().run_until_idle()
        stage.another_process().run_until_idle()
        assert [event.body for event in stage.events()] == ["deadly"] * 5 + ["good"]
        assert [letter.source for letter in stage.dead_letters()] == [QUEUE]


class TestInvocations:
    """What another system's call does."""

    def test_the_answer_is_the_callers(self) -> None:
        """The report comes back and is kept."""
        stage = Stage(triggers=[], act=lambda event: report(key=event["key"]))
        assert stage.runtime.invoke("worker", {"key": "k"}).details == {"key": "k"}
        [run] = stage.runtime.journal.runs()
        assert (run.worker, run.source, run.at) == ("worker", "invoke", NOON.isoformat())
        assert run.result == {"key": "k", "count": {"in": 1, "out": 1}}
        assert stage.observed == [run]

    @pytest.mark.parametrize("error", [BadInput("no such campaign"), RetryLater("busy")])
    def test_errors_are_the_callers(self, error: Exception) -> None:
        """One attempt, no dead letter, no run."""
        stage = Stage(triggers=[], act=failing(error))
        with pytest.raises(type(error)):
            stage.runtime.invoke("worker", {})
        assert (len(stage.calls), stage.dead_letters()) == (1, ())
        assert list(stage.runtime.journal.runs()) == []
