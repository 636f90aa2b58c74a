"""Candidates are read page by page, in constant memory."""

import json
import logging
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any, Final

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from campaign_workers.adapters.http.entry import HttpEntryService
from campaign_workers.ports.entry_service import EligibleQuery
from tests.contracts.http_worlds import LIMITS, Server, secrets

PAGE: Final = 500
QUERY: Final = EligibleQuery(campaign_id="tour", market_ids=("nyc",))


def campaign_of(pages: int, requests: list[dict[str, Any]]) -> Starlette:
    """Return an entry service that generates its candidates."""

    async def search(request: Request) -> Response:
        body = await request.json()
        requests.append(body)
        number = int(body["cursor"] or 0)
        rows = [
            {
                "globalUserId": f"g{number}-{row}",
                "email": f"fan{number}-{row}@mail.example",
                "marketIds": ["nyc", "chi"],
                "rawScore": 0.5,
                "score": 0.5,
                "verdict": 1,
                "previouslySelected": False,
            }
            for row in range(PAGE)
        ]
        following = str(number + 1) if number + 1 < pages else None
        return Response(json.dumps({"candidates": rows, "next": following}))

    return Starlette(routes=[Route("/candidates/search", search, methods=["POST"])])


@pytest.fixture
def read(http_server: Server, caplog: pytest.LogCaptureFixture) -> Callable[[int], tuple[int, int]]:
    """Return a function that reads a campaign and returns its fans and the peak memory."""
    # pytest keeps every log line in memory, several for each page.
    for talkative in ("httpx", "uvicorn.access"):
        caplog.set_level(logging.WARNING, logger=talkative)

    def read(pages: int) -> tuple[int, int]:
        requests: list[dict[str, Any]] = []
        url = http_server.add_app(campaign_of(pages, requests))
        with HttpEntryService(url, secrets(), limits=LIMITS, page_size=PAGE) as entries:
            fans, references = 0, []
            tracemalloc.start()
            for page in entries.eligible(QUERY):
                fans += len(page)
                references.append(weakref.ref(page))
                # Polars allocates columns outside the memory that tracemalloc traces.
                assert sum(other() is not None for other in references) == 1
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert [body["cursor"] for body in requests] == [None, *map(str, range(1, pages))]
        assert {body["limit"] for body in requests} == {PAGE}
        return fans, peak

    return read


def test_memory_does_not_grow_with_the_pages(read: Callable[[int], tuple[int, int]]) -> None:
    """Reading ten times as many pages takes no more memory."""
    read(1)
    few_fans, few_bytes = read(2)
    many_fans, many_bytes = read(20)
    assert (few_fans, many_fans) == (2 * PAGE, 20 * PAGE)
    # Pages of the server, which runs in this process, sometimes count too.
    assert many_bytes < 3 * few_bytes
