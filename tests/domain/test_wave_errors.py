"""The errors file of a wave: several workers share it, and none overwrites another's rows."""

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


def new_rows(fans: Iterable[str]) -> list[dict[str, str]]:
    """Return rows of fans, with a reason each."""
    return [{"globalUserId": fan, "reason": "why"} for fan in fans]


def errors_file_after(
    before: bytes | None, worker: str, fans: Iterable[str], **options: str
) -> bytes | None:
    """Return the errors file after a worker rejected some fans."""
    opener = None if before is None else partial(io.BytesIO, before)
    body = build_errors_file(opener, worker, ["globalUserId"], new_rows(fans), **options)
    return before if body is None else b"".join(body)


@given(runs)
def test_the_file_has_the_rows_of_each_workers_last_run(runs: list[tuple[str, list[str]]]) -> None:
    """In whatever order workers run, each has the rows of its last run, sorted by worker."""
    content: bytes | None = None
    latest: dict[str, list[str]] = {}
    for worker, fans in runs:
        content = errors_file_after(content, worker, fans)
        latest[worker] = fans
    rows = [] if content is None else table(content)
    assert [(row["worker"], row["globalUserId"]) for row in rows] == [
        (worker, fan) for worker in WORKERS for fan in latest.get(worker, [])
    ]


def test_no_errors_need_no_file() -> None:
    """A file is created for the first row, and kept when it has no rows left."""
    assert errors_file_after(None, "aWorker", []) is None
    content = errors_file_after(None, "aWorker", ["g1"])
    assert content is not None
    assert table(errors_file_after(content, "aWorker", []) or b"") == []


def test_removed_rows_belong_to_one_version_of_the_file() -> None:
    """Only rows of this worker and of this version of the file count as removed from it."""
    content = errors_file_after(None, "aWorker", ["g1"], source="abc")
    content = errors_file_after(content, "bWorker", ["g2"], source="abc")
    opener = partial(io.BytesIO, content or b"")
    assert [row["globalUserId"] for row in removed_rows(opener, "aWorker", "abc")] == ["g1"]
    assert list(removed_rows(opener, "aWorker", "abd")) == []
    assert list(removed_rows(None, "aWorker", "abc")) == []


def test_another_file_in_its_place_is_an_error() -> None:
    """A file that is not an errors file is not overwritten."""
    with pytest.raises(BadInput, match="the errors file of the wave, line 1, worker, reason"):
        errors_file_after(b"globalUserId\ng1\n", "aWorker", ["g2"])
