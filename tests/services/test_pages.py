"""Candidates come page by page, in memory that does not grow with the campaign."""

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


def campaign_of(pages: int, asked: list[dict[str, Any]]) -> Starlette:
    """An entry service that makes up its candidates as it goes."""

    async def search(request: Request) -> Response:
        body = await request.json()
        asked.append(body)
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
    """Reads a campaign of so many pages; the fans, and the most bytes that this took."""
    # Every line of a log is kept for the report of a failure, a few lines a page.
    for talkative in ("httpx", "uvicorn.access"):
        caplog.set_level(logging.WARNING, logger=talkative)

    def read(pages: int) -> tuple[int, int]:
        asked: list[dict[str, Any]] = []
        url = http_server.add_app(campaign_of(pages, asked))
        with HttpEntryService(url, secrets(), limits=LIMITS, page_size=PAGE) as entries:
            fans, kept = 0, []
            tracemalloc.start()
            for page in entries.eligible(QUERY):
                fans += len(page)
                kept.append(weakref.ref(page))
                # The columns of a page are in memory that is not traced.
                assert sum(other() is not None for other in kept) == 1
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert [body["cursor"] for body in asked] == [None, *map(str, range(1, pages))]
        assert {body["limit"] for body in asked} == {PAGE}
        return fans, most

    return read


def test_memory_does_not_grow_with_the_pages(read: Callable[[int], tuple[int, int]]) -> None:
    """Ten times as many fans take no more memory than one page does."""
    read(1)
    few, some_bytes = read(2)
    many, most_bytes = read(20)
    assert (few, many) == (2 * PAGE, 20 * PAGE)
    # Pages of the server, in this process too, count at times; all that there were are ten times.
    assert most_bytes < 3 * some_bytes
