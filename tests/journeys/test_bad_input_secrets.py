"""No error in a campaign shows an address, a number, a name or a code."""

import csv
import importlib
import inspect
import json
import logging
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

import campaign_workers
from campaign_workers.container import Container
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import TRIGGERS, WORKERS, InvokeTrigger
from campaign_workers.entrypoints.cli.reconciliation import Reconciliation
from campaign_workers.entrypoints.cli.uploads import Uploads
from campaign_workers.testing.builders import CAMPAIGN
from tests.journeys.bad_input_scene import PLANTED, Scene
from tests.journeys.test_bad_input import READERS, wave_config
from tests.journeys.whole_campaign import Call, run_campaign, uploads

PERSONAL: Final = {
    "address", "body", "cells", "code", "codes", "data", "email", "emails", "fields", "first_name",
    "holders", "last_name", "lottery_seed", "mobile_number", "partition_key", "phone", "rejected",
    "secret", "secrets", "seed", "token",
}  # fmt: skip
"""Names of personal data."""


def with_planted_names(files: Uploads) -> Uploads:
    """The uploads, with names that stand nowhere else."""
    registrations = files.folder / "registrations.jsonl"
    text = registrations.read_text(encoding="utf-8")
    text = re.sub(r'("(?:first|last)Name": " ?)', r"\1Planted ", text)
    registrations.write_text(text, encoding="utf-8")
    return files


def personal_values(files: Uploads, container: Container) -> Iterator[str]:
    """Every address, number and code of the campaign, as it was written and as it was read."""
    people = [
        json.loads(line)
        for line in (files.folder / "registrations.jsonl").read_bytes().splitlines()
        if b'"registration"' in line
    ]
    with (files.folder / "scored.txt").open(encoding="utf-8-sig", newline="") as scored:
        people += csv.DictReader(scored, delimiter="\t")
    reconciliation = Reconciliation(container, files.campaign().campaign_id)
    people += [*reconciliation.rows("scrubbed/"), *reconciliation.rows("smsWaves/csv/")]
    for person in people:
        for name in ("email", "phone", "mobileNumber", "code"):
            yield (person.get(name) or "").strip().removeprefix("+1").lower()
    yield from (code.lower() for code in files.external_codes())


def told_of(container: Container, folder: Path) -> Iterator[str]:
    """Everything that people see who need not know any fan."""
    scene = Scene()
    scene.container = container
    yield from scene.visible_texts()
    yield from (path.read_text(encoding="utf-8") for path in folder.glob("*.json"))


def test_a_whole_campaign_shows_no_personal_data(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs, reports, posts, metrics and audits of all workers name no fan's data."""
    files = with_planted_names(uploads(tmp_path / "uploads"))
    # The caller gets the error and does not retry.
    failed = [trigger.worker for trigger in TRIGGERS if isinstance(trigger, InvokeTrigger)]

    def failing_first(call: Call) -> Call:
        def called(worker: str, event: Any) -> Report:
            if worker not in failed:
                failed.append(worker)
                raise RetryLater("the network is down")
            return call(worker, event)

        return called

    with caplog.at_level(logging.DEBUG):
        container = run_campaign(files, tmp_path, failing_first)
    assert {run.worker for run in container.journal.runs()} == set(WORKERS)
    told = "\n".join((*told_of(container, tmp_path), caplog.text)).lower()
    assert len(told) > 10_000
    assert not PLANTED.search(told)
    secret = {value for value in personal_values(files, container) if len(value) > 3}
    assert len(secret) > 500
    assert not [value for value in secret if value in told]


def test_an_unexpected_error_shows_its_class_alone(scene: Scene) -> None:
    """What a library says of a value stays unsaid: dead letters and statuses name the kind."""

    def broken(worker: str, event: Any) -> Report:
        raise ValueError("could not convert planted@planted-mail.example")

    scene.container.runtime.call = broken
    for reader in READERS:
        scene.upload(reader.key, reader.table(reader.rows))
    scene.upload("smsWaves/triggered/tour_first_csv.json", wave_config())
    scene.wait(minutes=5)
    assert {reason for _, reason in scene.dead_letters()} == {"ValueError"}


def test_a_failing_adapter_is_reported_by_its_class(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status of a wave preparation quotes our own words, and of other errors only the kind."""

    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("planted@planted-mail.example")

    [reader] = (reader for reader in READERS if reader.worker == "processSmsWaveFiles")
    scene.upload(reader.key, reader.table(reader.rows))
    monkeypatch.setattr(scene.container.embedded.entries, "eligible", broken)
    with pytest.raises(ValueError, match="planted"):
        scene.container.runtime.invoke(reader.worker, {"campaignId": CAMPAIGN, "dateKey": "d1"})
    assert scene.reported_problems() == ["ValueError"]


def classes() -> Iterator[type[attrs.AttrsInstance]]:
    """Every attrs class, but for the test kit and what the command line is asked to show."""
    for found in pkgutil.walk_packages(campaign_workers.__path__, "campaign_workers."):
        if re.search(r"__main__|\.cli\b|\.testing\b", found.name):
            continue
        for value in vars(importlib.import_module(found.name)).values():
            if inspect.isclass(value) and value.__module__ == found.name and attrs.has(value):
                yield value


def test_no_value_shows_personal_data_when_it_is_printed() -> None:
    """Fields of text that hold a code, a number, an address or a name are left out of reprs."""
    assert not [
        f"{kind.__module__}.{kind.__qualname__}.{field.name}"
        for kind in classes()
        for field in attrs.fields(kind)
        if field.repr
        and field.name.strip("_") in PERSONAL
        and re.search(r"\b(str|bytes|Any)\b", str(field.type))
    ]
