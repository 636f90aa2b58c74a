"""Faults come when they are ordered, and to the share that was asked for."""

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
from tests.services.asking import ask, every_operation

(SEND,) = operations("sms")
SHARES = {Fault.parse("answer-lost"): 0.2, Fault.parse("too-many=1"): 0.05}


@pytest.fixture
def fresh(http_server: Server) -> World:
    """A world of its own."""
    return world(http_server)


@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_is_read_from_text(kind: FaultKind) -> None:
    """Each kind has a usual value, and takes another one."""
    assert Fault.parse(f" {kind} ") == Fault(kind)
    assert Fault.parse(f"{kind}=410").value == 410


@pytest.mark.parametrize("text", ["", "flood", "error=", "error=200", "latency=-1", "drip=nan"])
def test_what_is_no_fault_is_refused(text: str) -> None:
    """A word that is no fault, or a value that is none, is told to be one."""
    with pytest.raises(BadInput):
        Fault.parse(text)


@pytest.mark.parametrize("shares", [{Fault.parse("reset"): 1.1}, {Fault.parse("reset"): -0.1}])
def test_what_is_no_share_is_refused(shares: dict[Fault, float]) -> None:
    """Shares are between 0 and 1."""
    with pytest.raises(BadInput):
        FaultInjector().inject_shares(shares)


def drawn(board: FaultInjector, requests: int = 4000, service: str = "sms") -> list[Fault | None]:
    """What strikes so many different requests."""
    return [
        board.next_fault(service, f"r{number}".encode(), f"c{number}") for number in range(requests)
    ]


def test_shares_are_kept_and_come_again() -> None:
    """A seed strikes the same requests in every run, and as many as it should."""
    runs = []
    for seed in ("a", "a", "b"):
        board = FaultInjector()
        board.inject_shares(SHARES, seed=seed)
        runs.append(drawn(board))
    assert runs[0] == runs[1] != runs[2]
    for fault, share in SHARES.items():
        assert Counter(runs[0])[fault] / 4000 == pytest.approx(share, abs=0.02)


def test_shares_concern_the_services_that_are_named() -> None:
    """Other services go on as before, and everything does when the faults are cleared."""
    board = FaultInjector()
    board.inject_shares({Fault.parse("reset"): 1}, services=["sms"])
    assert drawn(board, 3) == [Fault(FaultKind.RESET)] * 3
    assert drawn(board, 3, "user") == [None] * 3
    board.clear()
    assert drawn(board, 3) == [None] * 3


@given(st.floats(0, 1), st.integers(1, 4))
def test_no_call_is_struck_too_often(share: float, in_a_row: int) -> None:
    """A call is let through after so many faults, whatever the share."""
    board = FaultInjector()
    board.inject_shares({Fault.parse("reset"): share}, in_a_row=in_a_row)
    struck = [board.next_fault("sms", b"same", "same") is not None for _ in range(40)]
    assert not any(all(struck[at : at + in_a_row + 1]) for at in range(40 - in_a_row))


def test_orders_come_first_and_come_to_an_end() -> None:
    """Ordered faults strike in their order, each as often as ordered, and are counted."""
    board = FaultInjector()
    board.inject(Fault.parse("error=500"), service="sms", times=2)
    board.inject(Fault.parse("reset"))
    assert [board.next_fault(s, b"", "") for s in ("user", "sms", "sms", "sms")] == [
        Fault(FaultKind.RESET),
        *[Fault(FaultKind.ERROR, 500)] * 2,
        None,
    ]
    assert board.counts() == {"sms": {"error": 2}, "user": {"reset": 1}}


def test_faults_are_ordered_over_http(fresh: World) -> None:
    """`/_doubles/faults` orders, shares, counts and clears."""
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


@pytest.mark.parametrize(("method", "path", "wrong", "told"), WRONG)
def test_what_the_back_door_cannot_take_is_told(
    fresh: World, method: str, path: str, wrong: object, told: str
) -> None:
    """What nobody could mean is refused by the place that is wrong, and nothing fails for it."""
    place = f"{fresh.url}/_doubles/{path}"
    answer = httpx.request(method, place, json=wrong, trust_env=False)
    assert answer.status_code == 422
    assert told in answer.text
    assert ask(fresh, SEND).status_code == 202


@pytest.mark.parametrize("wrong", [b"{", b'"\xff"', b"[" * 100_000, b'["\\ud800"]'])
def test_the_back_door_takes_json_alone(fresh: World, wrong: bytes) -> None:
    """What cannot be read is refused too."""
    place = f"{fresh.url}/_doubles/records"
    assert httpx.post(place, content=wrong, trust_env=False).status_code == 422


def test_the_back_door_fills_the_services(fresh: World) -> None:
    """Campaigns, users and codes that are put in are there for whoever asks."""
    campaign = {"_id": "tour", "markets": [{"id": "nyc"}]}
    pool = {"campaignId": "tour", "codes": ["A", "B"]}
    with httpx.Client(base_url=f"{fresh.url}/_doubles", trust_env=False) as door:
        assert door.put("/campaigns", json=campaign).status_code == 200
        assert door.put("/users", json={"g1": "u1"}).status_code == 200
        assert door.post("/codes", json=pool).json() == {"loaded": 2}
    assert fresh.behind.campaigns.markets("tour")[0].market_id == "nyc"
    assert fresh.behind.users.user_ids(["g1"]) == {"g1": "u1"}
    assert fresh.behind.codes.available("tour") == 2


def test_faults_are_ordered_by_header(fresh: World) -> None:
    """`X-Fault` concerns its own request alone."""
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
def test_a_fault_breaks_nothing_else(
    fresh: World, caplog: pytest.LogCaptureFixture, kind: FaultKind
) -> None:
    """Each fault can strike each operation, whatever it answers, and the server goes on."""
    value = "" if kind is FaultKind.ERROR else "=0"
    for operation in every_operation():
        with suppress(httpx.TransportError):
            ask(fresh, operation, X_Fault=f"{kind}{value}")
    assert httpx.get(f"{fresh.url}/_doubles/faults", trust_env=False).status_code == 200
    assert [line for line in caplog.records if line.levelno >= logging.ERROR] == []
