"""transformCodeAssignments: assignments get the ids they lack, or say why they cannot."""

import logging
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.fakes.users import FakeUserService
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.records.record import read_record
from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.domain.running.reports import Report
from campaign_workers.testing.builders import batch, campaign, code_assignment, registration
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.workers.transform_code_assignments import TransformCodeAssignments
from tests.worlds import (
    World,
    contents,
    first_of_each,
    no_wrapper,
    put_entries,
    put_records,
    rejected_records,
    rejection_reasons,
)

WORKER = "transformCodeAssignments"


def a_world(wrap: Any = no_wrapper) -> World:
    """A world that knows one user and one campaign by its category."""
    world = World(wrap)
    world.users.put("g1", "u-g1")
    world.users.put("g2", "u-g2")
    world.campaigns.put(campaign(category_id=77))
    return world


def transform(world: World, records: StreamBatch, **ports: Any) -> Report:
    """Run the worker once."""
    served = {
        "users": world.users,
        "campaigns": world.campaigns,
        "selections": world.selections,
        "lake": world.lake,
    }
    return TransformCodeAssignments(**world.ports(**(served | ports)))(records)


@attrs.define
class Counted:
    """A service that counts what it is asked."""

    service: FakeUserService | FakeCampaignService
    asked: list[list[Any]] = attrs.field(factory=list)

    def user_ids(self, wanted: Any) -> Mapping[str, str]:
        """As the user service."""
        self.asked.append(list(wanted))
        return self.service.user_ids(wanted)  # type: ignore[union-attr]

    def campaign_ids(self, wanted: Any) -> Mapping[int, str]:
        """As the campaign service."""
        self.asked.append(list(wanted))
        return self.service.campaign_ids(wanted)  # type: ignore[union-attr]


def test_missing_ids_are_looked_up() -> None:
    """A record with a category and a fan goes on with its campaign and its user."""
    world = a_world()
    sent = code_assignment(campaignId=None, categoryId=77)
    report = transform(world, batch([sent]))
    assert report.counts == {"in": 1, "out": 1, "rejected": 0, "duplicates": 0}
    (record,) = put_records(world.selections)
    assert (record["userId"], record["campaignId"]) == ("u-g1", "tour")
    assert {**sent, **record} == record


def test_an_enriched_record_keeps_its_key() -> None:
    """The key of what was first received stays, so that copies are still known as copies."""
    world = a_world()
    sent = code_assignment(campaignId=None, categoryId=77)
    transform(world, batch([sent]))
    (record,) = put_records(world.selections)
    assert (
        record["dedupeKey"]
        == read_record(sent).dedupe_key
        != read_record(record | {"dedupeKey": None}).dedupe_key
    )


def test_other_types_are_passed_over() -> None:
    """Registrations, telemetry and what is no JSON are not this worker's business."""
    world = a_world()
    records: list[Any] = [registration(), b"{not json", b'{"type": "telemetry"}', code_assignment()]
    report = transform(world, batch(records))
    assert report.counts == {"in": 1, "out": 1, "rejected": 0, "duplicates": 0}
    assert not contents(world.lake)


def test_a_dirty_batch_is_sorted() -> None:
    """Copies go on once; what is wrong or unknown is kept with its reason."""
    world = a_world()
    records = [
        code_assignment(),
        code_assignment(created="2026-09-21T00:00:00Z"),
        code_assignment(code=""),
        code_assignment("g9", "CODE9"),
        code_assignment("g2", "CODE2", campaignId=None),
        code_assignment("g2", "CODE2", campaignId=None, categoryId=78),
        code_assignment("g2", "C" * 257),
    ]
    report = transform(world, batch(records))
    assert report.counts == {"in": 7, "out": 1, "rejected": 5, "duplicates": 1}
    assert not report.imbalances
    assert rejection_reasons(world.lake, WORKER) == [
        "campaignId: missing, and its categoryId is unknown",
        "campaignId: missing, and its categoryId is unknown",
        "code: empty",
        "partition key: empty, or over 256 characters",
        "userId: missing, and its globalUserId is unknown",
    ]
    assert {line["sequence"] for line in rejected_records(world.lake, WORKER)} == {
        f"{number:08d}" for number in range(3, 8)
    }


def test_the_code_is_the_partition_key() -> None:
    """All that happens to a code stays in order; placeholders are spread by fan."""
    world = a_world()
    transform(world, batch([code_assignment("g1", "CODE1"), code_assignment("g2", "TM")]))
    assert {entry.partition_key for entry in put_entries(world.selections)} == {"CODE1", "g2"}


def test_only_what_is_missing_is_looked_up_25_at_a_time() -> None:
    """Each unknown fan and category is asked for once, in batches of 25; known ids are not."""
    world = a_world()
    known = [code_assignment("g1", "A", userId="u-g1")]
    fans = [code_assignment(f"g{number % 30}", f"C{number}") for number in range(60)]
    unmapped = [code_assignment("g1", "B", campaignId=None, categoryId=n) for n in range(26)]
    users, campaigns = Counted(world.users), Counted(world.campaigns)
    transform(world, batch([*known, *fans, *unmapped]), users=users, campaigns=campaigns)
    assert [len(asked) for asked in users.asked] == [25, 5]
    assert [len(asked) for asked in campaigns.asked] == [25, 1]
    transform(world, batch(known), users=users, campaigns=campaigns)
    assert len(users.asked) + len(campaigns.asked) == 4


def test_rejections_are_warned_about_without_values(caplog: pytest.LogCaptureFixture) -> None:
    """The log points at the kept record and shows neither code nor fan."""
    world = a_world()
    with caplog.at_level(logging.WARNING):
        report = transform(world, batch([code_assignment("g-secret", "SECRETCODE")]))
    (key,) = contents(world.lake)
    assert key in caplog.text
    assert "secret" not in caplog.text.lower()
    assert report.counts["rejected"] == 1


def test_a_failing_service_gives_the_batch_back() -> None:
    """Nothing is put or rejected while the user service fails."""
    world = a_world()
    with world.users.faults.outage(), pytest.raises(RetryLater):
        transform(world, batch([code_assignment()]))
    assert put_records(world.selections) == []
    assert not contents(world.lake)


def test_a_second_delivery_is_as_one() -> None:
    """A repeated batch puts copies with the same keys and keeps the same rejected files."""
    once, twice = a_world(), a_world()
    records = batch([code_assignment(), code_assignment("g9", "X"), code_assignment("g2", "TM")])
    transform(once, records)
    transform(twice, records)
    transform(twice, records)
    assert snapshot(twice) == snapshot(once)


def test_halves_of_a_batch_reject_into_the_same_files() -> None:
    """A batch that failed and comes again in halves keeps each rejected record once."""
    whole, halves = a_world(), a_world()
    records = batch([code_assignment("g8", "X"), code_assignment("g9", "Y")])
    transform(whole, records)
    transform(halves, records)
    for entry in records.records:
        transform(halves, attrs.evolve(records, records=(entry,)))
    assert snapshot(halves) == snapshot(whole)


def test_it_may_be_killed_at_any_call() -> None:
    """Killed before or after any port call and run again, it ends as one clean run."""

    def build(wrap: Any) -> CrashCase:
        world = a_world(wrap)
        records = [
            code_assignment(),
            code_assignment("g2", "TM", campaignId=None, categoryId=77),
            code_assignment("g9", "X"),
            code_assignment("g8", ""),
        ]
        return CrashCase(
            run=lambda: transform(world, batch(records)), snapshot=lambda: snapshot(world)
        )

    assert assert_survives_every_kill(build) >= 10


def snapshot(world: World) -> object:
    """What consumers see who drop copies."""
    return first_of_each(put_records(world.selections), "dedupeKey"), contents(world.lake)
