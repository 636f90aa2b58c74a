"""What may be set from outside."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.triggers import DeliverySettings
from campaign_workers.settings import Settings, load_settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


def test_without_an_environment_the_embedded_profile_is_chosen() -> None:
    """The defaults need nothing from outside."""
    settings = load_settings()
    assert settings.profile == "local"
    assert settings == attrs.evolve(Settings(), dir=settings.dir)


def test_the_environment_wins_over_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A TOML file sets what the environment does not."""
    file = tmp_path / "settings.toml"
    file.write_text('[campaign-workers]\navro_codec = "null"\ntexts_in_flight = 7\n')
    monkeypatch.setenv("CAMPAIGN_WORKERS_SETTINGS", str(file))
    monkeypatch.setenv("CAMPAIGN_WORKERS_TEXTS_IN_FLIGHT", "9")
    settings = load_settings()
    assert (settings.avro_codec, settings.texts_in_flight) == ("null", 9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROFILE", "moon"),
        ("TEXTS_IN_FLIGHT", "0"),
        ("MERGE_LIMIT_BYTES", "many"),
        ("DELIVERY_LAKE_BATCH", "0"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A setting that cannot be is refused with its name, before anything starts."""
    monkeypatch.setenv(f"CAMPAIGN_WORKERS_{name}", value)
    with pytest.raises(BadInput, match=name.lower().replace("_", "[._]")):
        load_settings()


def test_numbers_of_the_delivery_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch sizes and attempts can be set, and are those of the trigger table by default."""
    assert load_settings().delivery == DeliverySettings()
    monkeypatch.setenv("CAMPAIGN_WORKERS_DELIVERY_LAKE_BATCH", "7")
    assert load_settings().delivery == DeliverySettings(lake_batch=7)


def defaults(settings: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each setting and its default, as the page has them."""
    for field in attrs.fields(type(settings)):
        value = getattr(settings, field.name)
        if attrs.has(type(value)):
            yield from defaults(value, f"{field.name}.")
        else:
            shown = json.dumps(value) if isinstance(value, bool) else str(value or "")
            yield f"{prefix}{field.name}", shown


def test_the_page_has_every_setting_with_its_default() -> None:
    """None is missing, none is made up."""
    rows = re.findall(
        r"^\| `([\w.]+)` \| (?:`(.*?)`)? ?\| \S", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) == len(dict(rows))
    assert dict(rows) == dict(defaults(Settings()))
