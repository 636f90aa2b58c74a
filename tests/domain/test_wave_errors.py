"""The errors file of a wave belongs to several workers, and none disturbs another."""

import io
from collections.abc import Iterable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.waves.files import build_errors_file, removed_rows
from tests.worlds import table

WORKERS = ("aWorker", "bWorker", "cWorker")
KEY = "smsWaves/errors/w.csv"

runs = st.lists(
    st.tuples(
        st.sampled_from(WORKERS),
        st.lists(st.sampled_from(["g1", "g2", "g3"]), max_size=3),
    ),
    max_size=6,
)


def fresh(fans: Iterable[str]) -> list[dict[str, str]]:
    """Rows of fans, with a reason each."""
    return [{"globalUserId": fan, "reason": "why"} for fan in fans]


def written(before: bytes | None, worker: str, fans: Iterable[str], **options: str) -> bytes | None:
    """The file after a worker turned away some fans."""
    opener = None if before is None else partial(io.BytesIO, before)
    body = build_errors_file(opener, worker, ["globalUserId"], fresh(fans), **options)
    return before if body is None else b"".join(body)


@given(runs)
def test_the_file_has_the_last_word_of_each_worker(runs: list[tuple[str, list[str]]]) -> None:
    """Whatever the order of runs, each worker's rows are those of its last run, by worker."""
    content: bytes | None = None
    latest: dict[str, list[str]] = {}
    for worker, fans in runs:
        content = written(content, worker, fans)
        latest[worker] = fans
    rows = [] if content is None else table(content)
    assert [(row["worker"], row["globalUserId"]) for row in rows] == [
        (worker, fan) for worker in WORKERS for fan in latest.get(worker, [])
    ]


def test_no_errors_need_no_file() -> None:
    """A file is made for the first row, and kept without rows once it is there."""
    assert written(None, "aWorker", []) is None
    content = written(None, "aWorker", ["g1"])
    assert content is not None
    assert table(written(content, "aWorker", []) or b"") == []


def test_rows_know_the_file_they_came_out_of() -> None:
    """Only rows of that worker and that very file count as taken out of it."""
    content = written(None, "aWorker", ["g1"], source="abc")
    content = written(content, "bWorker", ["g2"], source="abc")
    opener = partial(io.BytesIO, content or b"")
    assert [row["globalUserId"] for row in removed_rows(opener, "aWorker", "abc")] == ["g1"]
    assert list(removed_rows(opener, "aWorker", "abd")) == []
    assert list(removed_rows(None, "aWorker", "abc")) == []


def test_another_file_in_its_place_is_an_error() -> None:
    """What is no errors file is not overwritten."""
    with pytest.raises(BadInput, match="the errors file of the wave, line 1, worker, reason"):
        written(b"globalUserId\ng1\n", "aWorker", ["g2"])
