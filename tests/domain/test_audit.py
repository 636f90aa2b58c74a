"""An audit verifies the files that were published with it, and detects any change."""

import hashlib
import json
import struct
from typing import Any

import attrs
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.lottery import commitment
from campaign_workers.domain.selection import MarketQuota, SelectionOptions
from campaign_workers.domain.selection.audit import verify_audit
from campaign_workers.domain.selection.fingerprints import fingerprint
from tests.selection_worlds import Fan, World, worlds

Faults = list[str]


def publish(world: World) -> tuple[dict[str, Any], pl.DataFrame, list[MarketQuota], pl.DataFrame]:
    """Return the published files: the audit after JSON, the picks after CSV."""
    selection = world.select()
    types = selection.picks.schema
    picks = pl.read_csv(selection.picks.write_csv().encode(), schema=types)
    quotas = [MarketQuota(market, limit) for market, limit in world.limits.items()]
    return json.loads(json.dumps(dict(selection.audit))), world.candidates(), quotas, picks


WORLD = World(
    fans=tuple(
        Fan(fan=f"g{number}", score=0.5, markets=("ams", "ber")[number % 2 :])
        for number in range(9)
    ),
    limits={"ams": 2, "ber": 3},
    options=SelectionOptions(campaign_id="tour", seed="s3cret"),
)


@given(worlds)
def test_every_selection_verifies(world: World) -> None:
    """Any selection, published and read again, is verified with and without its seed."""
    files = publish(world)
    assert verify_audit(*files, seed=world.options.seed) == []
    assert verify_audit(*files) == []


def test_the_audit_holds_the_commitment_and_not_the_seed() -> None:
    """The seed is published after the draw, by the campaign, not by the audit."""
    audit = WORLD.select().audit
    assert commitment("s3cret") == audit["seedCommitment"]
    assert "s3cret" not in json.dumps(dict(audit))


def test_the_audit_holds_no_fan() -> None:
    """It contains neither fan ids nor phones."""
    text = json.dumps(dict(WORLD.select().audit))
    assert not any(f'"{fan.fan}"' in text or fan.phone in text for fan in WORLD.fans)


CHANGES = {
    "global_user_id": "g0x",
    "score": 0.51,
    "market_ids": ["ber", "ams"],
    "raw_score": 0.1,
    "verdict": 0,
    "previously_selected": True,
    "phone": "",
}


@pytest.mark.parametrize("column", CHANGES)
@pytest.mark.parametrize("seed", [None, "s3cret"])
def test_a_changed_candidate_is_found(column: str, seed: str | None) -> None:
    """Any changed cell of a column that matters is detected, even if the draw stays the same."""
    audit, candidates, quotas, picks = publish(WORLD)
    changed = candidates.with_columns(
        pl.when(pl.col("global_user_id") == "g0")
        .then(pl.lit(CHANGES[column], dtype=candidates.schema[column]))
        .otherwise(pl.col(column))
        .alias(column)
    )
    faults = verify_audit(audit, changed, quotas, picks, seed)
    assert "candidates: the content differs from the audit" in faults


def test_a_missing_or_foreign_candidate_is_found() -> None:
    """Removed and added rows change number and content."""
    audit, candidates, quotas, picks = publish(WORLD)
    faults = verify_audit(audit, candidates[1:], quotas, picks)
    assert "candidates: the number of rows differs from the audit" in faults


@pytest.mark.parametrize("column", ["global_user_id", "market_id", "preference_rank", "priority"])
@pytest.mark.parametrize("seed", [None, "s3cret"])
def test_a_changed_pick_is_found(column: str, seed: str | None) -> None:
    """Any changed cell of the picks is detected."""
    audit, candidates, quotas, picks = publish(WORLD)
    cells = picks[column].to_list()
    cells[0] = {"global_user_id": "g8", "market_id": "ber"}.get(column, 0.7)
    changed = picks.with_columns(pl.Series(column, cells, strict=False).cast(picks.schema[column]))
    if column == "preference_rank":
        changed = picks.with_columns(preference_rank=pl.col("preference_rank") + 1)
    faults = verify_audit(audit, candidates, quotas, changed, seed)
    assert "picks: the content differs from the audit" in faults
    assert ("picks: the repeated draw has other picks" in faults) == (seed is not None)


def test_a_changed_quota_is_found() -> None:
    """Another limit gives another draw."""
    audit, candidates, _, picks = publish(WORLD)
    quotas = [MarketQuota("ams", 3), MarketQuota("ber", 3)]
    faults = verify_audit(audit, candidates, quotas, picks, "s3cret")
    assert "quotas: the content differs from the audit" in faults
    assert any(fault.startswith("cutoffs: the repeated draw") for fault in faults)


def test_picks_and_audit_forged_together_are_found_with_the_seed() -> None:
    """The repeated draw detects picks that were changed together with their fingerprint."""
    audit, candidates, quotas, picks = publish(WORLD)
    forged = picks.with_columns(global_user_id=pl.col("global_user_id").reverse())
    audit["picks"] = fingerprint(forged, by="market_id")
    assert verify_audit(audit, candidates, quotas, forged) == []
    assert "picks: the repeated draw has other picks" in verify_audit(
        audit, candidates, quotas, forged, "s3cret"
    )


def test_another_seed_than_the_committed_one_is_found() -> None:
    """A seed that was chosen after the candidates were known does not match the commitment."""
    faults = verify_audit(*publish(WORLD), seed="a luckier one")
    assert "seed: does not match the commitment" in faults


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("format", 2, "format: this version reads audits of format 1 only"),
        ("options", None, "expected the options of a selection"),
        ("options", {"singleMarket": True}, "expected the options of a selection"),
        ("candidates", None, "candidates: missing in the audit"),
        ("quotas", 7, "quotas: missing in the audit"),
        ("eligible", 3, "eligible: the repeated draw"),
        ("mechanism", "raffle", "mechanism: the repeated draw"),
        ("cutoffs", [], "cutoffs: the repeated draw"),
        ("seedCommitment", None, "seed: does not match"),
    ],
)
def test_a_changed_audit_is_found(part: str, value: Any, words: str) -> None:
    """A changed or missing part of the audit is detected."""
    audit, candidates, quotas, picks = publish(WORLD)
    faults = verify_audit({**audit, part: value}, candidates, quotas, picks, seed="s3cret")
    assert any(words in fault for fault in faults)


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("eligible", 3, "eligible: differs"),
        ("mechanism", "raffle", "mechanism: differs"),
        ("cutoffs", [], "cutoffs: limits and counts"),
        ("cutoffs", [7], "cutoffs: limits and counts"),
        ("cutoffs", None, "cutoffs: limits and counts"),
        ("seedCommitment", None, "seed: the audit has no commitment"),
    ],
)
def test_what_needs_no_seed_is_checked_without_it(part: str, value: Any, words: str) -> None:
    """Before the seed is published, the audit must already fit options, candidates and picks."""
    audit, candidates, quotas, picks = publish(WORLD)
    faults = verify_audit({**audit, part: value}, candidates, quotas, picks)
    assert [fault for fault in faults if fault.startswith(words)] == faults


@pytest.mark.parametrize("name", ["market_id", "limit", "taken", "filled"])
def test_a_changed_count_of_a_market_is_found_without_the_seed(name: str) -> None:
    """Limit and places taken follow from quotas and picks alone."""
    audit, candidates, quotas, picks = publish(WORLD)
    audit["cutoffs"][0][name] = None
    assert verify_audit(audit, candidates, quotas, picks)


@pytest.mark.parametrize("flag", ["singleMarket", "orderByPreference", "randomSelection"])
def test_other_options_than_those_of_the_draw_are_found(flag: str) -> None:
    """Other options give another draw."""
    audit, candidates, quotas, picks = publish(WORLD)
    audit["options"][flag] = not audit["options"][flag]
    assert verify_audit(audit, candidates, quotas, picks, seed="s3cret")


def test_files_that_cannot_be_read_are_a_difference() -> None:
    """A missing column of the picks, or one of another type, is reported and not raised."""
    audit, candidates, quotas, picks = publish(WORLD)
    for broken in (picks.drop("priority"), picks.with_columns(priority=pl.lit("high"))):
        faults = verify_audit(audit, candidates, quotas, broken, "s3cret")
        assert len(faults) == 1
        assert faults[0].startswith("unreadable: picks")


def test_a_package_of_another_version_still_verifies() -> None:
    """The version informs; only the format decides whether an audit can be verified."""
    audit, candidates, quotas, picks = publish(WORLD)
    assert verify_audit({**audit, "package": "9.9"}, candidates, quotas, picks, seed="s3cret") == []


def by_hand(fan: Fan) -> str:
    """Return a candidate row in the bytes of `docs/audit.md`."""

    def text(value: str | None) -> str:
        return "~" if value is None else f"{len(value.encode())}:{value}"

    def double(value: float | None) -> str:
        if value is None:
            return "~"
        return f"{int.from_bytes(struct.pack('>d', value + 0.0))};"

    return "".join(
        [
            text(fan.fan),
            double(fan.score),
            f"{len(fan.markets)}[{''.join(map(text, fan.markets))}]",
            double(fan.raw_score),
            f"{fan.verdict};",
            f"{int(fan.previously_selected)};",
            text(fan.phone),
        ]
    )


odd_text = st.text(st.characters(codec="utf-8"), max_size=5)


@given(worlds, odd_text, st.sampled_from([0.0, -0.0, 1e-310, 1e300, 0.1]))
def test_fingerprints_can_be_computed_by_hand(world: World, name: str, score: float) -> None:
    """A few lines of code, without this package, compute the fingerprint of the audit."""
    odd = Fan(fan=f"odd {name}", score=score, markets=(f"{name}|", "ams"), phone=name)
    world = attrs.evolve(world, fans=(*world.fans, odd))
    rows = sorted((fan.fan.encode(), by_hand(fan).encode()) for fan in world.fans)
    digest = hashlib.sha256(b"".join(row + b"\n" for _, row in rows)).hexdigest()
    assert digest == world.select().audit["candidates"]["sha256"]


def test_a_known_fingerprint_never_changes() -> None:
    """The bytes are pinned, so the audit of a past draw can always be verified."""
    audit = WORLD.select().audit
    assert (
        audit["candidates"]["sha256"],
        audit["quotas"]["sha256"],
        audit["picks"]["sha256"],
    ) == (
        "0ada1a07e027705b3a19882afbba4dcf2a5341b2793a4c790aa07726794b93bb",
        "8579a321d3183faead6d807be92170c28605e335b07bc37704cdef2740b74df8",
        "6ae5e8a0bc781387a77b9b14b1facf8e05f247bc750381dd43cac79fe5feb89a",
    )
