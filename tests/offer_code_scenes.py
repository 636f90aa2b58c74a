"""generateSmsWaveCodes on memory adapters and fakes."""

from typing import Any

from campaign_workers.adapters.fakes.codes import FakeOfferCodes
from campaign_workers.domain.running.reports import Report
from campaign_workers.workers.generate_sms_wave_codes import (
    GenerateCodesRequest,
    GenerateSmsWaveCodes,
)
from tests.worlds import World, contents, no_wrapper, table, wave_config, wave_rows

WAVE = "tour_w1"
FILE = "smsWaves/csv/tour_w1.csv"
ERRORS = "smsWaves/errors/tour_w1.csv"
SCHEDULED = "smsWaves/scheduled/tour_w1_csv.json"
GENERATING = "smsWaves/generateCode/generateCode_tour_w1.json"


def row(fan: str, code: str = "", market: str = "nyc") -> dict[str, str]:
    """Return a row of a wave file."""
    return {"globalUserId": fan, "code": code, "marketId": market}


def build_offer_code_world(*rows: dict[str, str], wrap: Any = no_wrapper) -> World:
    """Return a world with a wave file and a code service that refuses the fan `g-bad`."""
    world = World(wrap)
    world.scoring.put(FILE, wave_rows(*rows))
    world.mint = FakeOfferCodes(world.tables, refuses=lambda asked: asked.global_user_id == "g-bad")
    return world


def generate(world: World, offer_codes: Any = None, **config: Any) -> Report:
    """Run the worker once."""
    ports = world.ports(
        scoring=world.scoring,
        offer_codes=offer_codes or world.mint,
    )
    payload = {"waveFilePrefix": WAVE, "config": wave_config(**config)}
    return GenerateSmsWaveCodes(**ports, concurrency=3)(GenerateCodesRequest.parse(payload))


def codes(world: World) -> dict[str, str]:
    """Return the code of each fan in the wave file."""
    rows = table(world.scoring.open(FILE).read())
    return {row.get("globalUserId", ""): row.get("code", "") for row in rows}


def errors(world: World) -> list[tuple[str, str]]:
    """Return fan and reason of each row in the errors file."""
    if ERRORS not in contents(world.scoring):
        return []
    rows = table(world.scoring.open(ERRORS).read())
    return [(row.get("globalUserId", ""), row["reason"]) for row in rows]
