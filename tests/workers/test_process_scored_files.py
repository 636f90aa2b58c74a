"""processScoredFiles scrubs every row by its campaign's rules, writes it and counts it."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.records.record import dedupe_key
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.scrub import ScrubPolicy, scrub
from tests.scored_scenes import FAN, HEADER, SCRUBBED, UPLOAD, Scene, scrub_file, tsv
from tests.scrub_oracle import OUT


def test_a_row_becomes_a_record_with_all_that_is_known() -> None:
    """The record has score, band, verdict and tags, and the fan's ids, phone and markets."""
    scene = scrub_file({"email": " Ann@X.CO", "phone": "(212) 555-0123", "phoneType": " mobile"})
    (record,) = scene.records()
    assert 0.22 <= record.pop("bandScore") < 0.80
    told = record.pop("dedupeKey")
    assert record == {
        "type": "scoring",
        "campaignId": "tour",
        "globalUserId": "g1",
        "memberId": "m1",
        "email": "ann@x.co",
        "phone": "+12125550123",
        "phoneType": "mobile",
        "score": 0.5,
        "band": "low",
        "verdict": 1,
        "tags": [],
        "marketIds": ["nyc", "chi"],
        "source": "scored",
        "created": "2026-10-01T12:00:00Z",
    }
    (whole,) = scene.records()
    assert told == dedupe_key(whole)


def test_what_is_not_known_is_not_in_the_record() -> None:
    """Empty cells are absent fields; lists are always present."""
    scene = scrub_file({"memberId": "", "email": "", "phone": "", "score": "abc", "marketIds": ""})
    (record,) = scene.records()
    assert set(record) == {
        "type", "campaignId", "globalUserId", "phoneType", "verdict", "tags", "marketIds",
        "source", "created", "dedupeKey",
    }  # fmt: skip
    assert (record["verdict"], record["marketIds"]) == (0, [])
    assert record["tags"] == ["invalidScore", "invalidEmail", "missingPhone"]


def test_the_scrubbed_file_has_every_row_and_column() -> None:
    """It has the same columns, normalised, then band, band score, verdict and tags."""
    scene = scrub_file(
        {"firstName": "=Ann"}, {"globalUserId": "", "phone": "n/a", "email": "A@x.co"}
    )
    first, second = scene.scrubbed_rows()
    assert list(first) == [*HEADER, "band", "bandScore", "verdict", "tags"]
    assert {**first, "bandScore": ""} == {
        **FAN, "firstName": "=Ann", "band": "low", "bandScore": "", "verdict": "1", "tags": "",
    }  # fmt: skip
    assert second["email"] == "a@x.co"
    assert (second["verdict"], second["tags"]) == ("0", "missingFan|invalidPhone")
    raw = scene.world.text(SCRUBBED)
    assert ",+12125550123," in raw
    assert ",'=Ann," in raw


def test_rows_without_an_id_are_in_the_file_alone() -> None:
    """They are counted as rejected; a fan's lesser rows are records with the reason."""
    scene = Scene()
    report = scene.run(scene.upload(tsv({"score": "0.4"}, {}, {"globalUserId": " "})))
    assert report.counts == {"in": 3, "out": 2, "rejected": 1, "duplicates": 0}
    assert sorted(record["tags"] for record in scene.records()) == [[], ["duplicateFan"]]
    assert len(scene.scrubbed_rows()) == 3


def test_an_id_that_no_stream_takes_is_rejected() -> None:
    """A partition key has at most 256 characters."""
    scene = scrub_file({"globalUserId": "g" * 257}, {"globalUserId": "g" * 256})
    assert [len(record["globalUserId"]) for record in scene.records()] == [256]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_are_read_as_people_write_them(end: str, mark: str) -> None:
    """A byte order mark, CRLF, quotes and unknown columns are handled."""
    scene = Scene()
    text = tsv({"firstName": '"Ann ""A""\tLee"'}, end=end)
    scene.run(scene.upload(f"{mark}{text}"))
    assert [row["firstName"] for row in scene.scrubbed_rows()] == ['Ann "A"\tLee']


def test_optional_columns_may_be_missing() -> None:
    """The campaign is taken from the file's name; no missing column is added."""
    scene = Scene()
    columns = ("globalUserId", "email", "phone", "score")
    scene.run(scene.upload(tsv({}, columns=columns)))
    (row,) = scene.scrubbed_rows()
    assert list(row) == [*columns, "band", "bandScore", "verdict", "tags"]
    (record,) = scene.records()
    assert (record["campaignId"], record["marketIds"]) == ("tour", [])


def test_a_row_that_names_no_campaign_is_of_the_files() -> None:
    """A blank cell means the campaign in the name of the file."""
    scene = Scene()
    scene.add_campaign("other")
    scene.run(scene.upload(tsv({"campaignId": " "}, {"campaignId": "other"})))
    assert sorted(record["campaignId"] for record in scene.records()) == ["other", "tour"]
    assert sorted(row["campaignId"] for row in scene.scrubbed_rows()) == ["other", "tour"]


def test_each_campaign_has_its_own_rules() -> None:
    """Options, lists and seeds apply to their own campaign only."""
    scene = Scene()
    scene.add_campaign("world", seed="w", allow_intl_phones=True)
    scene.put("blocklist/world/emails.txt", "bob@x.co\n")
    london = {"phone": "+442079460958"}
    bob = {"email": "bob@x.co", "globalUserId": "g2", "phone": ""}
    world = {"campaignId": "world"}
    scene.run(scene.upload(tsv(london, {**london, **world}, bob, {**bob, **world})))
    tags = [row["tags"] for row in scene.scrubbed_rows()]
    assert tags == ["internationalPhone", "", "missingPhone", "blockedEmail|missingPhone"]
    places = {record["campaignId"]: record["bandScore"] for record in scene.records()}
    assert places["tour"] != places["world"]


def test_lists_of_both_levels_count_and_disposable_domains_too() -> None:
    """A `#` begins a comment; an allowed pattern overrides the blocklists."""
    scene = Scene()
    scene.put("blocklist/emails.txt", "\ufeff# resellers\r\nBOB@x.co  # twice\r\n\r\na#b@x.co\r\n")
    scene.put("blocklist/tour/emails.txt", "cyd@x.co")
    scene.put("blocklist/domains.txt", "spam.io\n")
    scene.put("blocklist/tour/domains.txt", "@evil.co\n")
    scene.put("allowlist/patterns.txt", "vip*@spam.io\n")
    scene.put("allowlist/tour/patterns.txt", "cy?@*\n")
    addresses = {
        "bob@x.co": "blockedEmail",
        "a#b@x.co": "blockedEmail",
        "cyd@x.co": "",
        "ann@a.spam.io": "blockedDomain",
        "vip1@spam.io": "",
        "ann@evil.co": "blockedDomain",
        "ann@10minutemail.com": "blockedDomain",
        "ann@x.co": "",
    }
    fans = ({"globalUserId": email, "email": email, "phone": ""} for email in addresses)
    scene.run(scene.upload(tsv(*fans)))
    tags = {row["email"]: row["tags"].removesuffix("missingPhone") for row in scene.scrubbed_rows()}
    assert {email: tag.removesuffix("|") for email, tag in tags.items()} == addresses


def test_the_report_and_the_channel_hear_the_same_figures() -> None:
    """Both have rows, records, each tag, each band, and the demand for each market."""
    scene = Scene()
    fans: tuple[dict[str, str], ...] = (
        {},
        {"globalUserId": "g2", "score": "0.96", "phone": "", "marketIds": "nyc|moon"},
        {"globalUserId": "g3", "score": "", "phone": "n/a", "marketIds": ""},
        {"globalUserId": "", "score": "0.1"},
    )
    report = scene.run(scene.upload(tsv(*fans)))
    assert report.details == {
        "key": UPLOAD,
        "scrubbed": SCRUBBED,
        "unheard": [],
        "campaigns": {
            "tour": {
                "in": 4,
                "out": 3,
                "rejected": 1,
                "eligible": 2,
                "tags": {
                    "missingFan": 1, "invalidScore": 1, "missingPhone": 1, "invalidPhone": 1,
                },
                "bands": {"high": 1, "low": 1, "none": 1, "no score": 1},
                "markets": {
                    "chi": {"in": 2, "eligible": 1},
                    "nyc": {"in": 3, "eligible": 2},
                    "other markets": {"in": 1, "eligible": 1},
                },
            }
        },
    }  # fmt: skip
    (post,) = scene.world.chat.posts("#tour")
    assert post.text == "World Tour: 2 of 4 scored fans eligible"
    said = json.dumps(post.blocks)
    for line in ("missingFan: 1", "high: 1", "New York: 2 eligible of 3", "*Rejected*\\n1"):
        assert line in said


def test_a_campaign_without_a_channel_is_told_nothing() -> None:
    """Each channel gets one message, about its own campaign."""
    scene = Scene()
    scene.add_campaign("quiet")
    scene.add_campaign("loud", stats_channels=("#a", "#b", "#a"))
    rows = ({"campaignId": name} for name in ("tour", "quiet", "loud"))
    scene.run(scene.upload(tsv(*rows)))
    assert sorted(post.channel for post in scene.world.chat.posts()) == ["#a", "#b", "#tour"]


def test_the_same_upload_gives_the_same_bytes() -> None:
    """The scrubbed file does not depend on the run."""
    fans = [{"globalUserId": f"g{n % 7}", "score": f"0.{n}"} for n in range(20)]
    one, two = scrub_file(*fans), scrub_file(*fans)
    assert one.world.text(SCRUBBED) == two.world.text(SCRUBBED)


def test_a_key_that_is_not_of_the_form_is_refused_and_counted() -> None:
    """A key in a folder below the prefix is never an upload, so a retry cannot help."""
    scene = Scene()
    report = scene.run(scene.upload(tsv({}), key="scored/old/tour.1.txt"))
    assert report.counts == {"in": 1, "out": 0, "rejected": 1, "duplicates": 0}
    assert "refused" in report.details


def test_a_replaced_version_is_left_to_its_own_event() -> None:
    """Only the version of the event is read."""
    scene = Scene()
    first = scene.upload(tsv({}))
    second = scene.upload(tsv({"globalUserId": "g2"}))
    assert scene.run(first).details == {"key": UPLOAD, "superseded": True}
    assert scene.records() == []
    scene.run(second)
    assert [record["globalUserId"] for record in scene.records()] == ["g2"]


def test_an_event_without_a_version_means_the_present_one() -> None:
    """The worker may be started by hand."""
    scene = Scene()
    scene.upload(tsv({}))
    assert scene.run(ObjectCreated(bucket="scoring", key=UPLOAD)).counts["out"] == 1


fans = st.lists(
    st.fixed_dictionaries(
        {
            "globalUserId": st.sampled_from(["g1", "g2", "g3", "g4", "g4", "g4", ""]),
            "email": st.sampled_from(["ann@x.co", "bob@x.co"] * 4 + ["no"]),
            "phone": st.sampled_from(
                ["+12125550123", "212 555 0123", "+16475550123"] * 3 + ["", "+442079460958", "n/a"]
            ),
            "score": st.sampled_from(["0.1", "0.5", "0.50", "0.9"] * 3 + ["2"]),
            "marketIds": st.sampled_from(["", "nyc", "chi|nyc"]),
        }
    ),
    min_size=4,
    max_size=14,
)


@given(fans, st.integers(150, 600))
def test_a_file_in_pieces_is_scrubbed_as_a_whole(rows: list[dict[str, str]], block: int) -> None:
    """The size of the frames changes neither the file nor the records."""
    scene = Scene(block=block)
    scene.run(scene.upload(tsv(*rows)))
    frame = pl.DataFrame(
        {
            "campaign_id": ["tour"] * len(rows),
            "phone_confirmed": ["yes"] * len(rows),
            **{
                ours: [row[wire] for row in rows]
                for ours, wire in (("global_user_id", "globalUserId"), ("email", "email"),
                                   ("phone", "phone"), ("score", "score"))
            },
        }
    )  # fmt: skip
    expected = scrub(frame, ScrubPolicy(lottery_seed="s")).collect()
    assert [row["tags"].split("|") if row["tags"] else [] for row in scene.scrubbed_rows()] == (
        expected["tags"].to_list()
    )
    assert [float(row["bandScore"] or -1) for row in scene.scrubbed_rows()] == (
        expected["band_score"].fill_null(-1).to_list()
    )
    known = expected.filter(pl.col("global_user_id") != "")
    told = [(record["globalUserId"], record["tags"]) for record in scene.records()]
    assert sorted(told) == sorted(known.select("global_user_id", "tags").iter_rows())
    assert all(
        record["verdict"] == int(not OUT.intersection(record["tags"])) for record in scene.records()
    )
