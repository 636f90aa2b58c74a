"""generateSmsWaveCodes: every registrant gets a code or a reason, then the wave is scheduled."""

import asyncio
import hashlib
import json
from typing import Any

import attrs
import pytest

from campaign_workers.domain.errors import (
    BadInput,
    NotFound,
    PermanentFailure,
)
from campaign_workers.ports.offer_codes import OfferCodeRequest
from campaign_workers.workers.generate_sms_wave_codes import GenerateCodesRequest
from tests.offer_code_scenes import (
    ERRORS,
    FILE,
    GENERATING,
    SCHEDULED,
    WAVE,
    build_offer_code_world,
    codes,
    errors,
    generate,
    row,
)
from tests.worlds import World, contents, table, wave_config


def test_rows_without_a_code_get_one() -> None:
    """Empty and placeholder codes are replaced, others kept, in the order of the file."""
    world = build_offer_code_world(row("g1"), row("g2", "TM"), row("g3", "MINE"))
    report = generate(world)
    assert report.to_json() == {
        "waveFilePrefix": WAVE,
        "generateOfferCode": True,
        "count": {"in": 3, "out": 3, "errors": 0},
    }
    made = codes(world)
    assert list(made) == ["g1", "g2", "g3"]
    assert made["g3"] == "MINE"
    assert len({*made.values(), "", "TM"}) == 5
    assert errors(world) == []


def test_rows_without_a_code_move_to_the_errors_file() -> None:
    """Rows that the service refuses, or without a fan, are in the errors file with the reason."""
    world = build_offer_code_world(row("g-bad"), row("g1"), row(""), row("", "MINE"))
    report = generate(world)
    assert report.counts == {"in": 4, "out": 2, "errors": 2}
    assert not report.imbalances
    assert set(codes(world)) == {"g1", ""}
    assert errors(world) == [
        ("g-bad", "code: no code was created: the request is refused"),
        ("", "globalUserId: missing"),
    ]
    kept = table(world.scoring.open(ERRORS).read())[0]
    assert kept["email"] == "g-bad@mail.example"
    left = hashlib.sha256(world.scoring.open(FILE).read()).hexdigest()
    assert kept["waveFileSha256"] == left


def test_the_config_is_scheduled_last_with_the_dates_of_its_codes() -> None:
    """Codes are valid from a day before to a year after the notify date."""
    world = build_offer_code_world(row("g1"))
    generate(world, note="kept")
    config = json.loads(world.text(SCHEDULED))
    assert config == wave_config(
        generateOfferCode=False,
        beginDate="2026-10-04T15:00:00Z",
        endDate="2027-10-05T15:00:00Z",
        note="kept",
    )
    assert GENERATING not in contents(world.scoring)


@attrs.define
class RecordingOfferCodes:
    """An offer code service that records its requests and their concurrency."""

    world: World
    asked: list[OfferCodeRequest] = attrs.field(factory=list)
    configs: list[dict[str, Any]] = attrs.field(factory=list)
    now: int = 0
    most: int = 0

    async def create(self, request: OfferCodeRequest) -> str:
        """Create a code after a pause."""
        self.asked.append(request)
        self.configs.append(json.loads(self.world.text(GENERATING)))
        assert SCHEDULED not in contents(self.world.scoring)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        code = await self.world.mint.create(request)
        self.now -= 1
        return code


def test_codes_are_created_concurrently_with_an_idempotency_key_each() -> None:
    """Three requests at once, each with a key, the wave's dates and product."""
    world = build_offer_code_world(
        *(row(f"g{number}", market=f"m{number % 2}") for number in range(20))
    )
    watched = RecordingOfferCodes(world)
    generate(world, watched, productId="P1", source="vf")
    assert watched.most == 3
    assert len({asked.idempotency_key for asked in watched.asked}) == 20
    assert {(asked.product_id, asked.source) for asked in watched.asked} == {("P1", "vf")}
    assert {(f"{a.begin:%Y-%m-%d}", f"{a.end:%Y-%m-%d}") for a in watched.asked} == {
        ("2026-10-04", "2027-10-05")
    }
    assert all(config["generateOfferCode"] for config in watched.configs)
    assert all(config["beginDate"] for config in watched.configs)


def test_a_key_belongs_to_registrant_wave_and_campaign() -> None:
    """The same fan in another market, campaign or wave gets another code."""
    seen = set()
    for world, config in (
        (build_offer_code_world(row("g1"), row("g1", market="lax")), {}),
        (build_offer_code_world(row("g1")), {"campaignId": "other"}),
        (build_offer_code_world(row("g1")), {"categoryId": 78}),
    ):
        watched = RecordingOfferCodes(world)
        generate(world, watched, **config)
        seen |= {asked.idempotency_key for asked in watched.asked}
    assert len(seen) == 4


def test_a_wave_that_needs_no_codes_is_only_scheduled() -> None:
    """Rows stay unchanged, and the code service is not called."""
    world = build_offer_code_world(row("g1"), row("g2", "TM"))
    before = world.text(FILE)
    report = generate(world, RecordingOfferCodes(world), generateOfferCode=False)
    assert report.counts == {"in": 2, "out": 2, "errors": 0}
    assert report.details["generateOfferCode"] is False
    assert world.text(FILE) == before
    assert json.loads(world.text(SCHEDULED))["generateOfferCode"] is False


def test_a_config_may_come_before_its_file_when_no_codes_are_wanted() -> None:
    """The wave is scheduled with zero rows."""
    world = World()
    assert generate(world, generateOfferCode=False).counts == {"in": 0, "out": 0, "errors": 0}
    assert SCHEDULED in contents(world.scoring)


def test_codes_for_a_missing_file_are_an_error() -> None:
    """Nothing is scheduled."""
    world = World()
    with pytest.raises(NotFound, match=FILE):
        generate(world)
    assert SCHEDULED not in contents(world.scoring)


def test_an_answer_without_a_code_is_an_error_of_its_row() -> None:
    """A response with the placeholder or an empty code rejects the row."""

    class Empty:
        async def create(self, request: OfferCodeRequest) -> str:
            return " TM " if request.global_user_id == "g1" else ""

    world = build_offer_code_world(row("g1"), row("g2"))
    assert generate(world, Empty()).counts == {"in": 2, "out": 0, "errors": 2}
    assert codes(world) == {}


def test_a_file_without_the_column_gets_it() -> None:
    """The code column is optional in uploads; unknown columns are kept."""
    world = build_offer_code_world()
    header = "doNotText,email,firstName,lastName,globalUserId,mobileNumber,seat\n"
    world.scoring.put(FILE, f"{header},a@x.example,A,B,g1,,=7\n".encode())
    generate(world)
    (written,) = table(world.scoring.open(FILE).read())
    assert written["seat"] == "=7"
    assert len(written["code"]) == 10


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"config": wave_config()}, "waveFilePrefix: missing"),
        (
            {"waveFilePrefix": "../x", "config": wave_config()},
            "waveFilePrefix: expected a file name",
        ),
        ({"waveFilePrefix": "w"}, "config, campaignId: missing"),
        ({"waveFilePrefix": "w", "config": "{}"}, "config: expected a JSON object"),
        (
            {"waveFilePrefix": "w", "config": wave_config(notifyDate="soon")},
            "config, notifyDate: expected an ISO-8601 date",
        ),
        (
            {"waveFilePrefix": "w", "config": wave_config(endDate="2026-01-01T00:00:00Z")},
            "config, endDate: expected a date after beginDate",
        ),
    ],
)
def test_a_request_is_validated_first(payload: dict[str, Any], place: str) -> None:
    """Errors name the invalid field."""
    with pytest.raises(BadInput, match=place):
        GenerateCodesRequest.parse(payload)


def test_an_invalid_wave_file_is_rejected() -> None:
    """Missing columns are named, and nothing is scheduled."""
    world = World()
    world.scoring.put(FILE, b"globalUserId,code\ng1,\n")
    for wanted in (True, False):
        with pytest.raises(BadInput, match="line 1, doNotText, email"):
            generate(world, generateOfferCode=wanted)
    assert SCHEDULED not in contents(world.scoring)


def test_a_refusal_has_no_personal_data() -> None:
    """Reasons come from the service, whose errors quote no values."""
    world = build_offer_code_world(row("g1"))
    world.mint.faults.fail_next(PermanentFailure("not in this market"))
    generate(world)
    assert errors(world) == [("g1", "code: no code was created: not in this market")]
