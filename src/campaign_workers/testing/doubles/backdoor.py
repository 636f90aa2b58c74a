"""`/_doubles`: what a test or a developer puts behind the services, orders, and looks at.

It asks for no token, because the doubles listen on loopback alone.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from campaign_workers.domain.campaigns import read_campaign
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.events import StreamBatch, StreamRecord
from campaign_workers.domain.records import UNDATED, iso_utc
from campaign_workers.domain.triggers import INPUT_STREAM
from campaign_workers.testing.doubles.faults import Fault, Switchboard
from campaign_workers.testing.doubles.neighbours import Neighbours

Action = Callable[[Any], Any]


@attrs.frozen
class Backdoor:
    """The routes under `/_doubles`."""

    neighbours: Neighbours
    switchboard: Switchboard

    @property
    def routes(self) -> Iterable[Route]:
        """A row an action: method, path, what it does with the JSON of the body."""
        actions: tuple[tuple[str, str, Action], ...] = (
            ("PUT", "campaigns", self.put_campaign),
            ("PUT", "users", self.put_users),
            ("POST", "codes", self.load_codes),
            ("POST", "records", self.consume),
            ("GET", "texts", self.texts),
            ("GET", "posts", self.posts),
            ("GET", "faults", self.struck),
            ("POST", "faults", self.order),
            ("PUT", "faults", self.share),
            ("DELETE", "faults", self.clear),
        )
        for method, path, action in actions:
            yield Route(f"/_doubles/{path}", _endpoint(action), methods=[method])

    def put_campaign(self, document: Any) -> None:
        """Keep a campaign, given as `GET /campaigns/{campaignId}` gives it."""
        self.neighbours.campaigns.put(read_campaign(document))

    def put_users(self, users: Mapping[str, str]) -> None:
        """Keep user ids, by global user id."""
        for global_user_id, user_id in users.items():
            self.neighbours.users.put(global_user_id, user_id)

    def load_codes(self, pool: Mapping[str, Any]) -> dict[str, int]:
        """Put `codes` into the pool of `campaignId`; how many are new."""
        return {"loaded": self.neighbours.codes.load(pool["campaignId"], pool["codes"])}

    def consume(self, records: Iterable[str]) -> None:
        """Take records of the streams, each as the text that is on the stream."""
        taken = tuple(
            StreamRecord(
                sequence=f"{number:08d}", partition_key="", data=text.encode(), arrived=UNDATED
            )
            for number, text in enumerate(records)
        )
        self.neighbours.entries.consume(
            StreamBatch(stream=INPUT_STREAM, shard="doubles", records=taken)
        )

    def texts(self, _: object) -> list[dict[str, Any]]:
        """Accepted texts, without number and words."""
        return [
            {
                "id": text.message.message_id,
                "group": text.message.group,
                "accepted": iso_utc(text.accepted),
            }
            for text in self.neighbours.sms.sent()
        ]

    def posts(self, _: object) -> list[dict[str, Any]]:
        """What was posted, oldest first."""
        return [
            {"channel": post.channel, "text": post.text, "blocks": list(post.blocks)}
            for post in self.neighbours.chat.posts()
        ]

    def struck(self, _: object) -> dict[str, dict[str, int]]:
        """How often which service failed in which way."""
        return self.switchboard.told()

    def order(self, wanted: Mapping[str, Any]) -> None:
        """Order a `fault` for the next request, or `times` requests, of a `service` or of any."""
        self.switchboard.order(
            Fault.parse(wanted["fault"]),
            service=wanted.get("service"),
            times=wanted.get("times", 1),
        )

    def share(self, wanted: Mapping[str, Any]) -> None:
        """Let `shares` of the requests fail, of `services` or of all; `seed`, `inARow`."""
        self.switchboard.share(
            {Fault.parse(text): share for text, share in wanted["shares"].items()},
            services=wanted.get("services"),
            seed=wanted.get("seed", ""),
            in_a_row=wanted.get("inARow"),
        )

    def clear(self, _: object) -> None:
        """Let everything go well again."""
        self.switchboard.clear()


def _endpoint(action: Action) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> JSONResponse:
        try:
            wanted = await request.json() if await request.body() else None
            done = await run_in_threadpool(action, wanted)
        except BadInput as error:
            return JSONResponse({"problem": str(error)}, 422)
        except (AttributeError, LookupError, TypeError, ValueError):
            return JSONResponse({"problem": "the body is not what this takes"}, 422)
        return JSONResponse(done)

    return endpoint
