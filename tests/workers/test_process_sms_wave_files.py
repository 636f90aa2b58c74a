"""processSmsWaveFiles: the selected fans, their codes and the files of the archive."""

import json

import polars as pl

from campaign_workers.domain.codes import Assignment
from campaign_workers.domain.preparation.wave_files import candidate_table
from campaign_workers.domain.selection import MarketQuota
from campaign_workers.domain.selection.audit import verify_audit
from campaign_workers.ports.entry_service import EligibleQuery
from campaign_workers.testing.builders import CREATED
from tests.wave_prep_scenes import (
    FANS,
    TWO_MARKETS,
    WavePrepScene,
    prepare_scene,
)


def test_a_wave_is_prepared() -> None:
    """The best fans of each market are selected, with `TM` or an external code."""
    scene = prepare_scene()
    report = scene.run()
    assert scene.cells("masterCodes/nyc.csv", "globalUserId", "code") == [
        ("g1", "TM"),
        ("g2", "TM"),
    ]
    assert scene.cells("masterCodes/chi.csv", "globalUserId", "code") == [
        ("g3", "EXT1"),
        ("g4", "EXT2"),
    ]
    assert report.counts == {"in": 5, "out": 4, "rejected": 1, "duplicates": 0}
    assert not report.imbalances
    assert list(scene.files()) == [
        "audit.json",
        "emails/NON_TM.csv",
        "emails/TM.csv",
        "masterCodes/chi.csv",
        "masterCodes/nyc.csv",
        "smsSELECTED/chi.csv",
        "smsSELECTED/nyc.csv",
    ]


def test_a_row_has_every_column_of_a_wave_file() -> None:
    """Code, fan, address, number, link and text are in their columns."""
    scene = prepare_scene(fans={})
    scene.fan(
        "g1",
        0.9,
        ["chi"],
        email=" Ada@Mail.Example ",
        phone="(212) 555-0162",
        firstName="=Ada",
        lastName="Lovelace",
        locale="en-us",
        memberId="m1",
    )
    scene.run()
    assert scene.rows("masterCodes/chi.csv") == [
        {
            "code": "EXT1",
            "doNotText": "",
            "email": "ada@mail.example",
            "firstName": "'=Ada",
            "lastName": "Lovelace",
            "link": "https://t.example/chi",
            "locale": "en-us",
            "marketId": "chi",
            "globalUserId": "g1",
            "memberId": "m1",
            "mobileNumber": "+12125550162",
            "smsText": "In! {code}",
        }
    ]


def test_the_file_for_texts_has_reachable_fans_only() -> None:
    """Fans with a foreign or invalid number, or without consent, get an e-mail."""
    scene = prepare_scene(TWO_MARKETS.replace("NON_TM,2", "NON_TM,9"), fans={})
    scene.fan("american", 0.9, ["chi"])
    scene.fan("british", 0.8, ["chi"], phone="+442071838750")
    scene.fan("phoneless", 0.7, ["chi"], phone=None)
    scene.fan("broken", 0.6, ["chi"], phone="n/a")
    scene.run()
    assert scene.cells("smsSELECTED/chi.csv", "globalUserId") == [("american",)]
    assert len(scene.rows("masterCodes/chi.csv")) == 4
    assert len(scene.rows("emails/NON_TM.csv")) == 4


def test_fans_without_consent_are_not_texted() -> None:
    """Without consent to texts, `doNotText` is set in every file."""
    scene = prepare_scene(fans={})
    scene.fan("silent", 0.9, ["nyc"], optInSms=False)
    scene.run()
    assert scene.cells("masterCodes/nyc.csv", "doNotText") == [("true",)]
    assert scene.rows("smsSELECTED/nyc.csv") == []


def test_the_audit_verifies() -> None:
    """The audit verifies against the candidates, quotas, picks and seed."""
    scene = prepare_scene()
    scene.run()
    query = EligibleQuery(campaign_id="tour", market_ids=("chi", "nyc"))
    candidates = candidate_table(scene.entries.eligible(query))
    priorities = {fan: score for fan, (score, _) in FANS.items()}
    ranks = {(fan, m): rank for fan, (_, wanted) in FANS.items() for rank, m in enumerate(wanted)}
    picks = pl.DataFrame(
        [
            (fan, market, ranks[fan, market], priorities[fan])
            for market in ("chi", "nyc")
            for (fan,) in scene.cells(f"masterCodes/{market}.csv", "globalUserId")
        ],
        schema=["global_user_id", "market_id", "preference_rank", "priority"],
        orient="row",
    )
    quotas = [MarketQuota("nyc", 2), MarketQuota("chi", 2)]
    audit = json.loads(scene.files()["audit.json"])
    assert verify_audit(audit, candidates, quotas, picks, seed="s3cret") == []
    assert "s3cret" not in scene.files()["audit.json"]


def test_options_reach_the_selection() -> None:
    """Each option of the request is in the audit."""
    scene = prepare_scene()
    options = {
        "reassign": True,
        "orderByPreference": True,
        "singleMarket": False,
        "randomSelection": True,
        "excludeIntlPhone": True,
        "minScore": 0.55,
        "maxScore": 0.85,
    }
    report = scene.run(**options)
    assert json.loads(scene.files()["audit.json"])["options"] == {"campaignId": "tour", **options}
    assert report.counts["in"] == 3


def test_too_few_codes_make_a_smaller_quota() -> None:
    """A market takes as many fans as codes were reserved, and the status has the shortage."""
    scene = prepare_scene(pool=["EXT1"])
    scene.run()
    assert scene.cells("masterCodes/chi.csv", "globalUserId", "code") == [("g3", "EXT1")]
    assert scene.status()["result"]["markets"] == [
        {"marketId": "nyc", "ticketType": "TM", "limit": 2, "quota": 2, "short": 0, "taken": 2},
        {"marketId": "chi", "ticketType": "NON_TM", "limit": 2, "quota": 1, "short": 1, "taken": 1},
    ]


def test_unused_codes_are_released() -> None:
    """Only the used codes stay reserved, for a day."""
    scene = prepare_scene(TWO_MARKETS.replace("NON_TM,2", "NON_TM,4"), fans={"g1": (0.9, ["chi"])})
    scene.run()
    assert scene.pool() == {"EXT1": "wavePrep/tour/2026-10-01/chi"}
    assert scene.codes.available("tour") == 3
    assert scene.status()["result"]["reservationExpires"] == "2026-10-02T12:00:00Z"


def test_a_wave_without_external_markets_reserves_nothing() -> None:
    """`TM` is never reserved, and there is no reservation that could expire."""
    scene = prepare_scene(TWO_MARKETS.replace("NON_TM", "TM"))
    scene.run()
    assert scene.pool() == {}
    assert scene.status()["result"]["reservationExpires"] is None


def with_code(scene: WavePrepScene, fan: str, market: str, code: str) -> None:
    assignment = Assignment(global_user_id=fan, market_id=market, code=code, created=CREATED)
    scene.entries.assign_codes("tour", [assignment])


def test_a_reassigned_fan_gets_the_same_code_again() -> None:
    """A fan with a code for the market keeps it and uses no reserved code."""
    scene = prepare_scene()
    with_code(scene, "g3", "chi", "OLD")
    with_code(scene, "g1", "nyc", "TM")
    scene.run(reassign=True)
    assert scene.cells("masterCodes/chi.csv", "globalUserId", "code") == [
        ("g3", "OLD"),
        ("g4", "EXT1"),
    ]
    assert set(scene.pool()) == {"EXT1"}


def test_a_fan_selected_before_stays_out_without_reassign() -> None:
    """A fan who was selected before is not selected again."""
    scene = prepare_scene()
    with_code(scene, "g1", "nyc", "TM")
    scene.run()
    assert scene.cells("masterCodes/nyc.csv", "globalUserId") == [("g2",), ("g3",)]


def test_an_address_gets_one_row_and_tm_goes_first() -> None:
    """TM: one row for each address; NON_TM: one for each address and market without TM."""
    codes = [f"EXT{number}" for number in range(9)]
    scene = prepare_scene(TWO_MARKETS.replace("TM,2", "TM,9"), fans={}, pool=codes)
    for name, markets in (("g1", ["nyc"]), ("g2", ["nyc"]), ("g3", ["chi"]), ("g4", ["chi"])):
        scene.fan(name, 0.9, markets, email="family@mail.example")
    scene.fan("g5", 0.9, ["chi"], email="")
    with_code(scene, "g6", "chi", "TM")
    scene.fan("g6", 0.9, ["chi"], email="other@mail.example")
    scene.fan("g7", 0.9, ["chi"], email="OTHER@mail.example")
    scene.run(reassign=True)
    assert scene.cells("emails/TM.csv", "email", "globalUserId") == [
        ("family@mail.example", "g1"),
        ("other@mail.example", "g6"),
    ]
    assert scene.cells("emails/NON_TM.csv", "email", "marketId", "globalUserId") == [
        ("family@mail.example", "chi", "g3")
    ]
    assert len(scene.rows("masterCodes/chi.csv")) == 5


def test_no_eligible_fans_give_an_archive_of_headers() -> None:
    """A wave without selected fans is prepared like any other."""
    scene = prepare_scene(fans={})
    report = scene.run()
    assert report.counts == {"in": 0, "out": 0, "rejected": 0, "duplicates": 0}
    assert scene.rows("masterCodes/chi.csv") == []
    assert scene.files()["emails/TM.csv"].startswith("code,doNotText,email,")
