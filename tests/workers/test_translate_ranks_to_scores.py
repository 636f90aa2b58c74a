"""translateRanksToScores scores every rank, or rejects it with its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.records.record import parse_record
from campaign_workers.testing.builders import campaign
from tests.fanlist_scenes import LIST, SCORED, Scene, translate_file


def test_every_rank_becomes_a_scoring_record() -> None:
    """Each fan's record has the ids of the file, rank, score, and source `fanlist`."""
    scene = translate_file(LIST)
    first, second, third = scene.records()
    assert {"globalUserId": "g1", "memberId": "m1", "email": "ada@mail.example"}.items() <= (
        first.items()
    )
    assert [(line["rank"], line["score"]) for line in (first, second, third)] == [
        (1, 1.0),
        (2, 0.75),
        (4, 0.25),
    ]
    assert "globalUserId" not in second
    shared = {
        "type": "scoring",
        "campaignId": "tour",
        "source": "fanlist",
        "verdict": 1,
        "tags": [],
        "marketIds": [],
        "created": "2026-09-20T00:00:00Z",
    }
    assert all(shared.items() <= line.items() for line in (first, second, third))


def test_records_are_keyed_and_partitioned_by_fan() -> None:
    """Each record has the dedupe key that a consumer computes, and its fan as partition key."""
    scene = translate_file(LIST)
    for shard in scene.stream.shards():
        for record in scene.stream.read(shard, after=None, limit=9):
            line = json.loads(record.data)
            told = line.pop("dedupeKey")
            assert parse_record(json.dumps(line).encode()).dedupe_key == told
            assert record.partition_key == (
                line.get("globalUserId") or line.get("memberId") or line["email"]
            )


def test_the_scored_copy_has_every_row_and_a_score() -> None:
    """Columns are carried through in their order; a rejected row has no score."""
    scene = translate_file('note,rank,memberId\n"a, b",1,m1\n=x,0,m2\n')
    assert scene.scoring.open(SCORED).read().decode() == (
        'note,rank,memberId,score\n"a, b",1,m1,1.0\n\'=x,0,m2,\n'
    )


def test_the_manifest_tells_the_outcome() -> None:
    """It has version, formula, counts, scored copy, and the lines of rejected rows by reason."""
    scene = Scene()
    event = scene.upload(f'{LIST},g5,,\nfirst,g6,,\n"7",,,\n1.5,g7,"m\n7",\n0,g8,,\n')
    report = scene.run(event)
    assert report.counts == {"in": 8, "out": 3, "rejected": 5, "duplicates": 0}
    assert scene.manifest()["club.csv"] == {
        "outcome": "TRANSLATED",
        "etag": event.etag,
        "scoringType": "linear",
        "halfLife": None,
        "scored": SCORED,
        "count": dict(report.counts),
        "rejected": [
            {"reason": "rank: missing", "lines": [5]},
            {"reason": "rank: expected a whole number from 1", "lines": [6, 8, 10]},
            {
                "reason": "globalUserId, memberId, email: expected at least one of them",
                "lines": [7],
            },
        ],
    }
    assert report.details["rejected"]["rank: missing"] == 1


@pytest.mark.parametrize(
    "content",
    [
        "rank,memberId\n\n1,m1\n\n\nx,m2\n",
        '"rank",memberId\n1,"m\n\n1"\n\nx,m2\n',
        "\ufeffrank,memberId\r\n1,m1\r\n\r\n\r\n\r\nx,m2\r\n",
    ],
)
def test_blank_lines_do_not_shift_the_line_numbers(content: str) -> None:
    """The line of a rejected row is the one that an editor shows."""
    line = next(n for n, text in enumerate(content.splitlines(), 1) if text.startswith("x"))
    assert translate_file(content).manifest()["club.csv"]["rejected"] == [
        {"reason": "rank: expected a whole number from 1", "lines": [line]}
    ]


cells = st.sampled_from(["1", "2", "x", "", "a\nb", "q", " "])


@given(st.lists(st.tuples(cells, cells) | st.none(), max_size=9))
def test_rejected_lines_are_found_however_the_file_is_broken_up(
    rows: list[tuple[str, str] | None],
) -> None:
    """Blank lines and line breaks inside cells do not shift line numbers."""
    content, expected = "rank,memberId\n", []
    for row in rows:
        if row is None:
            content += "\n"
        elif row[0] not in {"1", "2"} or not row[1].strip():
            expected.append(content.count("\n") + 1)
        if row is not None:
            content += ",".join(f'"{cell}"' for cell in row) + "\n"
    found = translate_file(content).manifest()["club.csv"]["rejected"]
    assert sorted(line for each in found for line in each["lines"]) == expected


def test_a_fan_listed_twice_counts_once_with_the_best_rank() -> None:
    """The others are duplicates, in any order and with any case of the address."""
    scene = Scene()
    content = (
        "rank,globalUserId,email\n5,g1,\n2,g1,\n2,g1,\n3,,Z@mail.example\n4,, z@mail.example\n"
    )
    report = scene.run(scene.upload(content))
    assert report.counts == {"in": 5, "out": 2, "rejected": 0, "duplicates": 3}
    assert [line["rank"] for line in scene.records()] == [2, 3]
    scores = [float(row["score"]) for row in scene.scored_rows()]
    assert scores == pytest.approx([0.2, 0.8, 0.8, 0.6, 0.4])


def test_ids_of_another_kind_are_other_fans() -> None:
    """A member id that equals a global user id is another fan."""
    scene = translate_file("rank,globalUserId,memberId\n1,x,\n2,,x\n")
    assert len(scene.records()) == 2


def test_the_campaign_chooses_the_formula() -> None:
    """Scoring type and half-life are the campaign's."""
    scene = Scene()
    scene.campaigns.put(campaign(scoring_type="exponential", half_life=1.0))
    scene.run(scene.upload(LIST))
    assert [line["score"] for line in scene.records()] == [1.0, 0.5, 0.125]


def test_a_header_alone_has_nothing_to_score() -> None:
    """Without rows the copy and the manifest are still written."""
    scene = translate_file("rank,memberId\n")
    assert (scene.records(), scene.scored_rows()) == ([], [])
    assert scene.manifest()["club.csv"]["count"]["in"] == 0


def test_the_manifest_keeps_the_other_files() -> None:
    """Each file has its own entry, by name; translating one again replaces its own."""
    scene = Scene()
    for name in ("b", "a", "b"):
        scene.run(scene.upload(LIST, f"fanlist/uploaded/tour/{name}.csv"))
    assert list(scene.manifest()) == ["a.csv", "b.csv"]
