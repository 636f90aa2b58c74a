"""The scrub by examples: each tag, each normal form, each error."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.lottery import lottery_numbers
from campaign_workers.domain.scrub import ScrubPolicy, scrub
from campaign_workers.domain.scrub.rules import RULES, TAGS
from tests.scrub_oracle import score_by_hand

GOOD = {
    "global_user_id": "g1",
    "campaign_id": "c1",
    "email": "ann@x.co",
    "phone": "+12125550123",
    "score": 0.5,
    "phone_confirmed": "2026-09-01T00:00:00Z",
}
LISTS = ScrubPolicy(
    blocked_emails=frozenset({" Bob@Y.org"}),
    blocked_domains=frozenset({"Spam.io", "@bücher.de", ".evil.example"}),
    allowed_patterns=("VIP-*@*", "*@good.spam.io"),
)


def fan(**changes: Any) -> pl.DataFrame:
    return pl.DataFrame([{**GOOD, **changes}])


def fans(*changes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**GOOD, **change} for change in changes])


def tags(frame: pl.DataFrame, policy: ScrubPolicy = LISTS) -> list[list[str]]:
    return scrub(frame, policy).collect()["tags"].to_list()


def test_the_table_of_rules_is_in_the_order_of_the_tags() -> None:
    """Tags of a row are in the order of the rules."""
    everything = fan(
        global_user_id="", score=2, email="x@Y@spam.io", phone="n/a", phone_confirmed=""
    )
    assert tags(everything) == [
        ["missingFan", "invalidScore", "invalidEmail", "blockedDomain", "invalidPhone",
         "unconfirmedPhone"]
    ]  # fmt: skip
    assert [rule.tag for rule in RULES] == list(TAGS)


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        ({"global_user_id": None}, "missingFan"),
        ({"global_user_id": " \t"}, "missingFan"),
        ({"score": None}, "invalidScore"),
        ({"score": float("nan")}, "invalidScore"),
        ({"score": float("inf")}, "invalidScore"),
        ({"score": -0.001}, "invalidScore"),
        ({"score": 1.001}, "invalidScore"),
        ({"score": "1e400"}, "invalidScore"),
        ({"score": "0,5"}, "invalidScore"),
        ({"score": "٠.٥"}, "invalidScore"),
        ({"email": None}, "invalidEmail"),
        ({"email": "ann at x.co"}, "invalidEmail"),
        ({"email": "BOB@y.ORG "}, "blockedEmail"),
        ({"email": "ann@spam.io"}, "blockedDomain"),
        ({"email": "ann@a.b.SPAM.io"}, "blockedDomain"),
        ({"email": "ann@evil.example"}, "blockedDomain"),
        ({"email": "ann@xn--bcher-kva.de"}, "blockedDomain"),
        ({"email": "ann@BÜCHER.de"}, "blockedDomain"),
        ({"email": "ann@ｓpam.io"}, "blockedDomain"),
        ({"phone": "+44 20 7946 0958"}, "internationalPhone"),
        ({"phone": None}, "missingPhone"),
        ({"phone": "  "}, "missingPhone"),
        ({"phone": "n/a"}, "invalidPhone"),
        ({"phone_confirmed": None}, "unconfirmedPhone"),
        ({"phone_confirmed": " "}, "unconfirmedPhone"),
        ({"phone_confirmed": "False"}, "unconfirmedPhone"),
        ({"phone_confirmed": False}, "unconfirmedPhone"),
    ],
)
def test_each_tag_says_what_is_wrong(changes: dict[str, Any], tag: str) -> None:
    """Each fault gives one tag; all but the three about phones make the verdict 0."""
    row = scrub(fan(**changes), LISTS).collect().row(0, named=True)
    assert row["tags"] == [tag]
    assert row["verdict"] == int(tag.endswith("Phone") and tag != "internationalPhone")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"email": "ann@notspam.io"},
        {"email": "vip-7@spam.io"},
        {"email": "Ann@Good.Spam.IO"},
        {"score": " 5.e-1 "},
        {"score": "+.5"},
        {"score": 1},
        {"phone": "+1 (647) 555-0123"},
        {"phone_confirmed": True},
        {"campaign_id": None},
    ],
)
def test_a_clean_row_has_no_tag(changes: dict[str, Any]) -> None:
    """Allowed addresses, plain decimals and North American phones get no tag."""
    row = scrub(fan(**changes), LISTS).collect().row(0, named=True)
    assert (row["tags"], row["verdict"]) == ([], 1)


@pytest.mark.parametrize("dtype", [pl.String, pl.Float64])
def test_there_is_one_zero(dtype: pl.DataType) -> None:
    """A score of -0.0 becomes 0.0, so that equal scores have equal bytes."""
    rows = pl.concat([fan(global_user_id=f"g{n}") for n in range(3)])
    scores = pl.Series("score", [-0.0, 0.0, -0.0]).cast(dtype)
    out = scrub(rows.with_columns(scores), ScrubPolicy()).collect()
    zeros = [*out["score"], *out["band_score"]]
    assert [str(zero) for zero in zeros] == ["0.0"] * 6


def test_values_leave_in_their_normal_form() -> None:
    """Ids and markets are stripped, e-mails lower-cased, phones in E.164; the rest is unchanged."""
    row = fan(
        global_user_id=" G 1\u00a0", campaign_id="c1\t", member_id=" m1", email=" Ann@X.co",
        phone=" 212 555 0123 ", score=" .5", market_ids=[" nyc", "lax "], note=" as is ",
    )  # fmt: skip
    out = scrub(row, ScrubPolicy(lottery_seed="s")).collect()
    number = lottery_numbers(pl.Series(["G 1"]), seed="s", campaign_id="c1")[0]
    assert out.row(0, named=True) == {
        "global_user_id": "G 1",
        "campaign_id": "c1",
        "email": "ann@x.co",
        "phone": "+12125550123",
        "score": 0.5,
        "phone_confirmed": GOOD["phone_confirmed"],
        "member_id": "m1",
        "market_ids": ["nyc", "lax"],
        "note": " as is ",
        "band": "low",
        "band_score": 0.22 + (0.80 - 0.22) * number,
        "verdict": 1,
        "tags": [],
    }


def test_an_invalid_phone_stays_as_it_was() -> None:
    """Only the white space around it is removed."""
    assert scrub(fan(phone=" 555 0123 "), LISTS).collect()["phone"].to_list() == ["555 0123"]


def test_international_phones_are_welcome_where_the_campaign_says_so() -> None:
    """`allowIntlPhones` turns the rule off, for texts in either form of a Mexican mobile."""
    phones = fans({"phone": "+5215512345678"}, {"phone": "+442079460958", "global_user_id": "g2"})
    out = scrub(phones, ScrubPolicy(allow_intl_phones=True)).collect()
    assert out["phone"].to_list() == ["+525512345678", "+442079460958"]
    assert out["verdict"].to_list() == [1, 1]


@pytest.mark.parametrize(
    ("first", "second", "loser"),
    [
        ({"score": 0.6}, {"score": 0.5}, 1),
        ({"score": 0.5}, {"score": 0.6}, 0),
        ({"email": "b@x.co"}, {"email": "a@x.co"}, 0),
        ({"phone": "+12125550124"}, {"phone": "+12125550123"}, 0),
        ({"phone": None}, {"phone": "+12125550123"}, 1),
        ({"note": "one"}, {"note": "two"}, 1),
        ({"score": "-0"}, {"score": "0"}, 1),
    ],
)
def test_of_a_fans_rows_the_highest_ranking_stays(
    first: dict[str, Any], second: dict[str, Any], loser: int
) -> None:
    """By score, then the smaller e-mail, then the smaller phone, then the first row."""
    expected: list[list[str]] = [[], []]
    expected[loser] = ["duplicateFan"]
    found = [[tag for tag in row if tag == "duplicateFan"] for row in tags(fans(first, second))]
    assert expected == found


def test_of_a_phones_fans_the_highest_ranking_stays() -> None:
    """With equal scores the smaller globalUserId keeps the phone."""
    rows = fans({"global_user_id": "g2"}, {"global_user_id": "g1"}, {"global_user_id": "G3"})
    assert tags(rows) == [["duplicatePhone"], ["duplicatePhone"], []]


def test_a_bots_row_never_knocks_a_fan_out() -> None:
    """Disqualified rows are not compared, however high their score."""
    rows = fans({"score": 1.0, "email": "ann@spam.io"}, {}, {"global_user_id": "", "score": 0.9})
    assert tags(rows) == [["blockedDomain"], [], ["missingFan"]]


def test_a_fans_lesser_row_does_not_hold_the_phone() -> None:
    """A duplicate row of a fan does not take a phone from other fans."""
    rows = fans(
        {"score": 0.9, "phone": "+16475550123"},
        {"score": 0.8},
        {"score": 0.7, "global_user_id": "g2"},
    )
    assert tags(rows) == [[], ["duplicateFan"], []]


def test_phones_that_are_not_valid_are_nobodys() -> None:
    """Two fans may both have entered `n/a`."""
    rows = fans({"phone": "n/a"}, {"phone": "n/a", "global_user_id": "g2"})
    assert tags(rows) == [["invalidPhone"], ["invalidPhone"]]


def test_campaigns_do_not_compete_with_each_other() -> None:
    """A fan may be in two campaigns; rows without a campaign are compared with each other."""
    rows = fans({}, {"campaign_id": "c2"}, {"campaign_id": None}, {"campaign_id": " "})
    assert [row for row in tags(rows) if row] == [["duplicateFan"]]


def test_optional_columns_may_be_missing() -> None:
    """Without `phone_confirmed` no phone is confirmed."""
    row = fan().drop("phone_confirmed")
    assert tags(row) == [["unconfirmedPhone"]]


def test_columns_of_nulls_alone_are_columns() -> None:
    """A frame whose columns have no type is scrubbed too."""
    nulls = pl.DataFrame({name: [None] for name in GOOD})
    assert tags(nulls) == [
        ["missingFan", "invalidScore", "invalidEmail", "missingPhone", "unconfirmedPhone"]
    ]


def test_a_date_confirms_a_phone() -> None:
    """A confirmation may be a date; a null is no confirmation."""
    confirmed = fan().with_columns(pl.Series("phone_confirmed", [1]).cast(pl.Datetime))
    assert tags(confirmed) == [[]]
    unknown = fan().with_columns(pl.Series("phone_confirmed", [None], dtype=pl.Boolean))
    assert tags(unknown) == [["unconfirmedPhone"]]


def test_no_rows_give_no_rows() -> None:
    """An empty frame has all the columns of a full one."""
    nothing = scrub(fan().clear(), LISTS).collect()
    assert nothing.schema == scrub(fan(), LISTS).collect().schema
    assert nothing.is_empty()


def test_the_scrub_is_lazy_and_knows_its_columns() -> None:
    """The schema is known before the work is done, and the input is not changed."""
    rows = fan(score="0.5", member_id=7)
    before = rows.clone()
    plan = scrub(rows.lazy(), LISTS)
    assert plan.collect_schema() == plan.collect().schema
    assert rows.equals(before)


@pytest.mark.parametrize("missing", ["global_user_id", "campaign_id", "email", "phone", "score"])
def test_a_missing_column_is_named(missing: str) -> None:
    """The rules need every required column."""
    with pytest.raises(BadInput, match=missing):
        scrub(fan().drop(missing), LISTS)


def test_a_reserved_column_name_is_refused() -> None:
    """A column with the name of an internal one could not be carried through."""
    with pytest.raises(BadInput, match="__country_code: this column name is reserved; rename it"):
        scrub(fan(__country_code=1), LISTS)


def test_columns_with_names_of_the_pipeline_are_carried_through() -> None:
    """Row numbers and tag bits are not kept in the frame of the fans."""
    assert scrub(fan(__row=1, row=2), LISTS).select("__row", "row").collect().row(0) == (1, 2)


def test_scores_that_are_neither_numbers_nor_texts_are_refused() -> None:
    """Scores must be numbers or strings."""
    with pytest.raises(BadInput, match="score"):
        scrub(fan(score=[0.5]), LISTS)


@given(
    st.lists(
        st.text("0123456789.eE+-_ xinfaNT\t", max_size=7)
        | st.floats(allow_nan=True).map(str)
        | st.floats(0, 1).map(repr)
        | st.decimals(0, 1, allow_nan=False).map(str)
    )
)
def test_scores_are_read_as_plain_decimals(texts: list[str]) -> None:
    """A text is parsed as plain decimal notation, or the score is null."""
    frame = pl.DataFrame({**{name: [""] * len(texts) for name in GOOD}, "score": texts})
    out = scrub(frame.cast({"score": pl.String}), ScrubPolicy()).collect()
    assert [score_by_hand(text) for text in texts] == out["score"].to_list()
