"""Faults are injected on request, and into the given share of requests."""

import logging
from collections import Counter
from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.doubles import Fault, FaultInjector, FaultKind
from campaign_workers.doubles.documents import operations
from tests.contracts.http_worlds import Server, World, world
from tests.services.example_requests import ask, every_operation

(SEND,) = operations("sms")
SHARES = {Fault.parse("answer-lost"): 0.2, Fault.parse("too-many=1"): 0.05}


@pytest.fixture
def fresh(http_server: Server) -> World:
    """Return a new world."""
    return world(http_server)


@pytest.mark.parametrize("kind", FaultKind)
def test_faults_are_parsed(kind: FaultKind) -> None:
    """Each kind has a default value and accepts another one."""
    assert Fault.parse(f" {kind} ") == Fault(kind)
    assert Fault.parse(f"{kind}=410").value == 410


@pytest.mark.parametrize("text", ["", "flood", "error=", "error=200", "latency=-1", "drip=nan"])
def test_invalid_faults_are_refused(text: str) -> None:
    """Unknown kinds and values out of range are refused."""
    with pytest.raises(BadInput):
        Fault.parse(text)


@pytest.mark.parametrize("shares", [{Fault.parse("reset"): 1.1}, {Fault.parse("reset"): -0.1}])
def test_invalid_shares_are_refused(shares: dict[Fault, float]) -> None:
    """Shares must be between 0 and 1."""
    with pytest.raises(BadInput):
        FaultInjector().inject_shares(shares)


def next_faults(
    board: FaultInjector, requests: int = 4000, service: str = "sms"
) -> list[Fault | None]:
    """Return the faults of different requests."""
    return [
        board.next_fault(service, f"r{number}".encode(), f"c{number}") for number in range(requests)
    ]


def test_shares_are_deterministic() -> None:
    """A seed selects the same requests in every run, in the given share."""
    runs = []
    for seed in ("a", "a", "b"):
        board = FaultInjector()
        board.inject_shares(SHARES, seed=seed)
        runs.append(next_faults(board))
    assert runs[0] == runs[1] != runs[2]
    for fault, share in SHARES.items():
        assert Counter(runs[0])[fault] / 4000 == pytest.approx(share, abs=0.02)


def test_shares_apply_to_the_given_services() -> None:
    """Other services are not affected, and none is after `clear`."""
    board = FaultInjector()
    board.inject_shares({Fault.parse("reset"): 1}, services=["sms"])
    assert next_faults(board, 3) == [Fault(FaultKind.RESET)] * 3
    assert next_faults(board, 3, "user") == [None] * 3
    board.clear()
    assert next_faults(board, 3) == [None] * 3


@given(st.floats(0, 1), st.integers(1, 4))
def test_consecutive_faults_are_limited(share: float, in_a_row: int) -> None:
    """After the maximum number of consecutive faults a call succeeds, whatever the share."""
    board = FaultInjector()
    board.inject_shares({Fault.parse("reset"): share}, in_a_row=in_a_row)
    failed = [board.next_fault("sms", b"same", "same") is not None for _ in range(40)]
    assert not any(all(failed[at : at + in_a_row + 1]) for at in range(40 - in_a_row))


def test_queued_faults_take_precedence() -> None:
    """Queued faults are injected in order, the given number of times, and counted."""
    board = FaultInjector()
    board.inject(Fault.parse("error=500"), service="sms", times=2)
    board.inject(Fault.parse("reset"))
    assert [board.next_fault(s, b"", "") for s in ("user", "sms", "sms", "sms")] == [
        Fault(FaultKind.RESET),
        *[Fault(FaultKind.ERROR, 500)] * 2,
        None,
    ]
    assert board.counts() == {"sms": {"error": 2}, "user": {"reset": 1}}


def test_faults_are_controlled_over_http(fresh: World) -> None:
    """`/_doubles/faults` injects, counts and clears faults."""
    place = f"{fresh.url}/_doubles/faults"
    order = {"fault": "error=502", "service": "sms", "times": 2}
    assert httpx.post(place, json=order, trust_env=False).status_code == 200
    assert [ask(fresh, SEND).status_code for _ in range(3)] == [502, 502, 202]
    share = {"shares": {"too-many=7": 1.0}, "services": ["sms"], "seed": "7", "inARow": 1}
    assert httpx.put(place, json=share, trust_env=False).status_code == 200
    assert ask(fresh, SEND).headers["Retry-After"] == "7"
    assert httpx.get(place, trust_env=False).json() == {"sms": {"error": 2, "too-many": 1}}
    assert httpx.delete(place, trust_env=False).status_code == 200
    assert ask(fresh, SEND).status_code == 202


WRONG = [
    ("POST", "faults", {"fault": "flood"}, "unknown fault"),
    ("POST", "faults", {}, "$.fault"),
    ("POST", "faults", [], "$"),
    ("POST", "faults", {"fault": 7}, "$.fault"),
    ("POST", "faults", {"fault": "reset", "service": "smss"}, "unknown service"),
    ("POST", "faults", {"fault": "reset", "times": "3"}, "$.times"),
    ("POST", "faults", {"fault": "reset", "time": 3}, "$"),
    ("PUT", "faults", {"shares": {"reset": "a"}}, "$.shares.*"),
    ("PUT", "faults", {"shares": {"reset": 2}}, "shares"),
    ("PUT", "faults", {"shares": {"reset": 1}, "services": "sms"}, "$.services"),
    ("PUT", "faults", {"shares": {"reset": 1}, "services": ["smss"]}, "unknown service"),
    ("PUT", "users", {"g1": 5}, "$.*"),
    ("PUT", "campaigns", {"_id": "../up"}, "_id"),
    ("POST", "codes", {"campaignId": "tour", "codes": "ABC"}, "$.codes"),
    ("POST", "records", "abc", "$"),
    ("POST", "records", ["{}"], "$[0]"),
]


@pytest.mark.parametrize(("method", "path", "body", "problem"), WRONG)
def test_the_control_api_refuses_invalid_bodies(
    fresh: World, method: str, path: str, body: object, problem: str
) -> None:
    """An invalid body is refused with the wrong field, and no fault is injected."""
    place = f"{fresh.url}/_doubles/{path}"
    answer = httpx.request(method, place, json=body, trust_env=False)
    assert answer.status_code == 422
    assert problem in answer.text
    assert ask(fresh, SEND).status_code == 202


@pytest.mark.parametrize("wrong", [b"{", b'"\xff"', b"[" * 100_000, b'["\\ud800"]'])
def test_the_control_api_accepts_only_json(fresh: World, wrong: bytes) -> None:
    """Invalid JSON is refused."""
    place = f"{fresh.url}/_doubles/records"
    assert httpx.post(place, content=wrong, trust_env=False).status_code == 422


def test_the_control_api_stores_data(fresh: World) -> None:
    """Stored campaigns, users and codes are available from the services."""
    campaign = {"_id": "tour", "markets": [{"id": "nyc"}]}
    pool = {"campaignId": "tour", "codes": ["A", "B"]}
    with httpx.Client(base_url=f"{fresh.url}/_doubles", trust_env=False) as control:
        assert control.put("/campaigns", json=campaign).status_code == 200
        assert control.put("/users", json={"g1": "u1"}).status_code == 200
        assert control.post("/codes", json=pool).json() == {"loaded": 2}
    assert fresh.behind.campaigns.markets("tour")[0].market_id == "nyc"
    assert fresh.behind.users.user_ids(["g1"]) == {"g1": "u1"}
    assert fresh.behind.codes.available("tour") == 2


def test_a_header_injects_a_fault(fresh: World) -> None:
    """`X-Fault` affects only its own request."""
    assert ask(fresh, SEND, X_Fault="error=504").status_code == 504
    assert ask(fresh, SEND, X_Fault="flood").status_code == 422
    for kind in ("reset", "answer-lost"):
        with pytest.raises(httpx.TransportError):
            ask(fresh, SEND, X_Fault=kind)
    with pytest.raises(ValueError, match="utf-8"):
        ask(fresh, SEND, X_Fault="garbage").json()
    assert ask(fresh, SEND, X_Fault="drip=0.001").json()["state"] == "accepted"
    assert ask(fresh, SEND, X_Fault="latency=0.001").json()["state"] == "accepted"
    assert len(list(fresh.behind.sms.accepted_texts())) == 1


@pytest.mark.parametrize("kind", FaultKind)
def test_faults_do_not_break_the_server(
    fresh: World, caplog: pytest.LogCaptureFixture, kind: FaultKind
) -> None:
    """Each fault works with each operation, and the server continues."""
    value = "" if kind is FaultKind.ERROR else "=0"
    for operation in every_operation():
        with suppress(httpx.TransportError):
            ask(fresh, operation, X_Fault=f"{kind}{value}")
    assert httpx.get(f"{fresh.url}/_doubles/faults", trust_env=False).status_code == 200
    assert [line for line in caplog.records if line.levelno >= logging.ERROR] == []
