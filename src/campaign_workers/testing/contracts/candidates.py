"""Contract of `EntryService` about candidates and the records that they come from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.campaigns import Campaign, CampaignType
from campaign_workers.domain.errors import NotFound
from campaign_workers.domain.records.record import read_record
from campaign_workers.ports.entry_service import EligibleQuery, EntryService
from campaign_workers.testing.builders import assignment, campaign, registration, scoring
from campaign_workers.testing.contracts._base import Contract, examples_share_fixtures
from campaign_workers.testing.strategies import MARKET_IDS, registrations, scorings

Plant = Callable[[Campaign], object]
Feed = Callable[[Iterable[Mapping[str, Any] | bytes]], object]
Rows = list[dict[str, Any]]

LATER = "2026-09-11T00:00:00Z"
EARLIER = "2026-08-01T00:00:00Z"

records = st.lists(registrations() | scorings(), max_size=12)


def candidates(service: EntryService, campaign_id: str = "tour", **query: Any) -> Rows:
    """Return the candidates of a campaign as rows, ordered by global user id."""
    wanted = EligibleQuery(campaign_id=campaign_id, **{"market_ids": MARKET_IDS, **query})
    rows = [row for page in service.eligible(wanted) for row in page.iter_rows(named=True)]
    return sorted(rows, key=lambda row: str(row["global_user_id"]))


def fans(rows: Rows) -> list[str]:
    """Return the global user ids of rows."""
    return [row["global_user_id"] for row in rows]


def of_campaign(campaign_id: str, kept: Sequence[Mapping[str, Any]]) -> Rows:
    """Return copies of records in another campaign, with the same dedupe keys."""
    return [
        {**record, "dedupeKey": read_record(record).dedupe_key, "campaignId": campaign_id}
        for record in kept
    ]


class CandidatesContract(Contract):
    """Fixtures: `service`; `plant`, which stores a campaign; `fresh_id`; `outage`.

    `feed` delivers stream records, JSON or bytes, in order.
    """

    @pytest.fixture(autouse=True)
    def _campaign(self, plant: Plant) -> None:
        plant(campaign())

    def test_a_candidate_combines_registration_and_score(
        self, service: EntryService, feed: Feed
    ) -> None:
        """A row has the registered fields and the scrubbed ones."""
        person = {"memberId": "m1", "firstName": "Ada", "lastName": "Kim", "locale": "en-us"}
        feed(
            [
                registration(phone="(212) 555-0162", email="ADA@mail.example ", **person),
                scoring(phone="+12125550162", email="ada@mail.example", bandScore=0.9),
            ]
        )
        assert candidates(service) == [
            {
                "global_user_id": "g1",
                "member_id": "m1",
                "email": "ada@mail.example",
                "phone": "+12125550162",
                "first_name": "Ada",
                "last_name": "Kim",
                "locale": "en-us",
                "market_ids": ["nyc"],
                "raw_score": 0.5,
                "score": 0.9,
                "verdict": 1,
                "previously_selected": False,
                "opt_in_sms": True,
                "codes": [],
            }
        ]

    def test_columns_have_their_types(self, service: EntryService, feed: Feed) -> None:
        """Columns have the same types whether or not they have values."""
        import polars as pl

        expected = {
            **dict.fromkeys(candidates_columns(), pl.String()),
            "market_ids": pl.List(pl.String()),
            "raw_score": pl.Float64(),
            "score": pl.Float64(),
            "verdict": pl.Int8(),
            "previously_selected": pl.Boolean(),
            "opt_in_sms": pl.Boolean(),
            "codes": pl.List(pl.Struct({"market_id": pl.String(), "code": pl.String()})),
        }
        feed([scoring("g1"), registration("g2"), scoring("g2")])
        service.assign_codes("tour", [assignment("g2")])
        query = EligibleQuery(campaign_id="tour", market_ids=("nyc",), reassign=True)
        assert [dict(page.schema) for page in service.eligible(query) if len(page)][:1] == [
            expected
        ]

    def test_an_unknown_campaign_is_not_found(self, service: EntryService) -> None:
        """The candidates of an unknown campaign are not found."""
        with pytest.raises(NotFound):
            candidates(service, "unknown")

    def test_a_campaign_without_fans_has_no_candidates(self, service: EntryService) -> None:
        """A campaign without registrations and scores returns no rows."""
        assert candidates(service) == []

    @pytest.mark.parametrize(
        ("score", "query"),
        [
            ({"verdict": 0}, {}),
            ({"score": None, "bandScore": 0.9}, {}),
            ({}, {"min_score": 0.51}),
            ({}, {"max_score": 0.49}),
            ({"bandScore": 0.9}, {"min_score": 0.8}),
            ({}, {"market_ids": ("chi", "lax")}),
            ({}, {"market_ids": ()}),
        ],
    )
    def test_fans_must_satisfy_every_condition(
        self, service: EntryService, feed: Feed, score: dict[str, Any], query: dict[str, Any]
    ) -> None:
        """Verdict 0, no score, a score out of bounds, or no wanted market excludes a fan."""
        feed([registration(), scoring(**score)])
        assert candidates(service, **query) == []

    def test_bounds_are_included(self, service: EntryService, feed: Feed) -> None:
        """A raw score equal to a bound is included."""
        feed([scoring("g1", score=0.2), scoring("g2", score=0.8), scoring("g3", score=0.9)])
        assert fans(candidates(service, min_score=0.2, max_score=0.8)) == ["g1", "g2"]

    def test_one_wanted_market_is_enough(self, service: EntryService, feed: Feed) -> None:
        """A fan who wants one of the markets is a candidate, with all preferred markets."""
        feed([registration(marketIds=["lax", "nyc", "chi"]), scoring()])
        (row,) = candidates(service, market_ids=("chi", "mex"))
        assert row["market_ids"] == ["lax", "nyc", "chi"]

    def test_preferred_markets_are_unique_and_at_most_four(
        self, service: EntryService, feed: Feed
    ) -> None:
        """The first occurrence of a market counts, and at most four are kept."""
        feed([registration(marketIds=["nyc", "", "nyc", "chi"]), scoring()])
        feed([scoring("g2", marketIds=["a", "b", "b", "nyc", "c", "d"])])
        assert [row["market_ids"] for row in candidates(service)] == [
            ["nyc", "chi"],
            ["a", "b", "nyc", "c"],
        ]

    def test_a_score_without_registration_makes_a_candidate(
        self, service: EntryService, feed: Feed
    ) -> None:
        """A scored fan without a registration has the fields of the score."""
        feed([scoring(email="ada@mail.example", marketIds=["chi"])])
        (row,) = candidates(service)
        assert (row["email"], row["market_ids"]) == ("ada@mail.example", ["chi"])
        assert (row["first_name"], row["opt_in_sms"]) == (None, None)

    def test_the_latest_record_wins(self, service: EntryService, feed: Feed) -> None:
        """The record with the latest `created` wins, in any order of delivery."""
        feed([registration(firstName="New", created=LATER), scoring(score=0.7, created=LATER)])
        feed([registration(firstName="Old", created=EARLIER), scoring(score=0.1, created=EARLIER)])
        (row,) = candidates(service)
        assert (row["first_name"], row["raw_score"]) == ("New", 0.7)

    def test_a_duplicate_row_excludes_no_fan(self, service: EntryService, feed: Feed) -> None:
        """Of scores created at the same time, verdict 1 wins over verdict 0."""
        names = [f"g{number}" for number in range(9)]
        good = [scoring(fan, memberId=f"m-{fan}", score=0.6) for fan in names]
        bad = [scoring(fan, score=0.4, verdict=0, tags=["duplicateFan"]) for fan in names]
        nameless = [scoring(None, memberId=f"m-{fan}", score=0.3, verdict=0) for fan in names]
        feed([*good, *bad])
        feed([*bad, *good, *nameless])
        assert [row["raw_score"] for row in candidates(service)] == [0.6] * len(names)

    @pytest.mark.parametrize(
        ("kind", "expected"), [(CampaignType.REGISTRATION, 0.5), (CampaignType.FANLIST, 0.25)]
    )
    def test_one_source_is_preferred(
        self, service: EntryService, plant: Plant, feed: Feed, kind: CampaignType, expected: float
    ) -> None:
        """`scored` is preferred to `fanlist`, in a fan list campaign the other way round."""
        plant(campaign(type=kind))
        feed(
            [
                scoring(source="scored", score=0.5, bandScore=0.9),
                scoring(source="fanlist", score=0.25, created=LATER),
            ]
        )
        (row,) = candidates(service)
        assert row["raw_score"] == expected
        assert row["score"] == (0.9 if expected == 0.5 else 0.25)

    @pytest.mark.parametrize(
        "known_by", [{"memberId": "m1"}, {"userId": "u-g1"}, {"email": "A@B.example"}]
    )
    @pytest.mark.parametrize("registered_first", [True, False])
    def test_a_score_is_matched_by_other_ids(
        self, service: EntryService, feed: Feed, known_by: dict[str, str], *, registered_first: bool
    ) -> None:
        """A score without global user id belongs to the entry with the same other id."""
        entry = registration(memberId="m1", email="a@b.example")
        score = scoring(None, source="fanlist", **known_by)
        feed([entry] if registered_first else [score])
        feed([score] if registered_first else [entry])
        assert fans(candidates(service)) == ["g1"]

    def test_registrations_take_precedence_in_matching(
        self, service: EntryService, feed: Feed
    ) -> None:
        """An id of two fans belongs to the one who registered, otherwise to the smaller id."""
        feed([scoring("g1", memberId="m1", score=0.1), registration("g2", memberId="m1")])
        feed([scoring(None, memberId="m1", source="fanlist", score=0.2)])
        assert fans(candidates(service)) == ["g1", "g2"]
        feed([scoring("g4", memberId="m2", verdict=0), scoring("g3", memberId="m2", verdict=0)])
        feed([scoring(None, memberId="m2", created=LATER)])
        assert fans(candidates(service)) == ["g1", "g2", "g3"]

    def test_a_score_of_an_unknown_fan_waits(self, service: EntryService, feed: Feed) -> None:
        """A score makes a candidate only once its fan is known."""
        feed([scoring(None, memberId="m1")])
        assert candidates(service) == []
        feed([scoring("g1", memberId="m1", verdict=0, source="fanlist")])
        assert fans(candidates(service)) == ["g1"]

    def test_every_fan_appears_once(self, service: EntryService, feed: Feed) -> None:
        """Each fan has one row in all pages, after any number of registrations and scores."""
        names = [f"g{number:02d}" for number in range(25)]
        feed([registration(fan) for fan in names] + [scoring(fan) for fan in names] * 2)
        feed([registration("g00", userId="another account", created=LATER)])
        assert fans(candidates(service)) == names

    @pytest.mark.parametrize(
        "stray",
        [
            b"{not json",
            b"\xff",
            {"type": "telemetry", "campaignId": "tour"},
            {**registration(), "marketIds": ["a"] * 5},
            {**scoring(), "verdict": 2},
            {"type": "codeBan", "campaignId": "tour", "code": "X", "created": LATER},
        ],
    )
    def test_invalid_records_are_ignored(
        self, service: EntryService, feed: Feed, stray: Mapping[str, Any] | bytes
    ) -> None:
        """Invalid records and records of other types do not affect the others."""
        feed([registration(), stray, scoring()])
        assert fans(candidates(service)) == ["g1"]

    @examples_share_fixtures
    @given(kept=records, data=st.data())
    def test_order_and_repetition_do_not_matter(
        self,
        service: EntryService,
        plant: Plant,
        feed: Feed,
        fresh_id: Callable[[], str],
        kept: list[dict[str, Any]],
        data: st.DataObject,
    ) -> None:
        """The same records in any order, with repeats, end in the same candidates."""
        kind = data.draw(st.sampled_from(CampaignType))
        again = data.draw(st.lists(st.sampled_from(kept))) if kept else []
        results = []
        for delivered in (kept, data.draw(st.permutations(kept + again))):
            campaign_id = fresh_id()
            plant(campaign(campaign_id, type=kind))
            middle = len(delivered) // 2
            feed(of_campaign(campaign_id, delivered[:middle]))
            feed(of_campaign(campaign_id, delivered[middle:]))
            results.append(candidates(service, campaign_id))
        assert results[0] == results[1]


def candidates_columns() -> tuple[str, ...]:
    """Return the column names of a candidate."""
    return (
        "global_user_id", "member_id", "email", "phone", "first_name", "last_name", "locale",
        "market_ids", "raw_score", "score", "verdict", "previously_selected", "opt_in_sms", "codes",
    )  # fmt: skip
