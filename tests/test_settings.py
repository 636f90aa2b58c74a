"""Settings come from the environment and a file, and errors name them."""

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
    ("name", "value", "problem"),
    [
        ("PROFILE", "moon", "expected one of memory, local, aws, got 'moon'"),
        ("TEXTS_IN_FLIGHT", "0", "expected a whole number >= 1, got 0"),
        ("MERGE_LIMIT_BYTES", "many", "expected a whole number >= 1, got 'many'"),
        ("MONGODB_TIMEOUT_SECONDS", "-1", "expected a number > 0, got -1.0"),
        ("DELIVERY_LAKE_BATCH", "0", "expected a whole number >= 1, got 0"),
        ("DELIVERY_LAKE_BATCH", "x", "expected a whole number >= 1, got 'x'"),
        ("TRACES", "perhaps", "expected true or false, got 'perhaps'"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    """An invalid setting is refused with the name of its environment variable."""
    monkeypatch.setenv(f"CAMPAIGN_WORKERS_{name}", value)
    with pytest.raises(BadInput) as refusal:
        load_settings()
    assert str(refusal.value) == f"CAMPAIGN_WORKERS_{name}: {problem}"


def test_all_wrong_settings_are_in_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """One run shows everything that has to be corrected."""
    monkeypatch.setenv("CAMPAIGN_WORKERS_TEXTS_IN_FLIGHT", "0")
    monkeypatch.setenv("CAMPAIGN_WORKERS_DELIVERY_LAKE_BATCH", "-7")
    with pytest.raises(BadInput) as refusal:
        load_settings()
    assert str(refusal.value) == (
        "CAMPAIGN_WORKERS_TEXTS_IN_FLIGHT: expected a whole number >= 1, got 0; "
        "CAMPAIGN_WORKERS_DELIVERY_LAKE_BATCH: expected a whole number >= 1, got -7"
    )


def test_an_unknown_setting_of_a_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A misspelt setting would otherwise have no effect."""
    file = tmp_path / "settings.toml"
    file.write_text('[campaign-workers]\navro_codek = "null"\n')
    monkeypatch.setenv("CAMPAIGN_WORKERS_SETTINGS", str(file))
    with pytest.raises(BadInput, match=f"^{re.escape(str(file))}: unknown settings: avro_codek$"):
        load_settings()


def test_numbers_of_the_delivery_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch sizes and attempts can be set, and are those of the trigger table by default."""
    assert load_settings().delivery == DeliverySettings()
    monkeypatch.setenv("CAMPAIGN_WORKERS_DELIVERY_LAKE_BATCH", "7")
    assert load_settings().delivery == DeliverySettings(lake_batch=7)


def defaults(settings: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting and its default as the page shows them."""
    for field in attrs.fields(type(settings)):
        value = getattr(settings, field.name)
        if attrs.has(type(value)):
            yield from defaults(value, f"{field.name}.")
        else:
            shown = json.dumps(value) if isinstance(value, bool) else str(value or "")
            yield f"{prefix}{field.name}", shown


def test_the_page_has_every_setting_with_its_default() -> None:
    """The page lists the settings that exist, with the defaults that they have."""
    rows = re.findall(
        r"^\| `([\w.]+)` \| (?:`(.*?)`)? ?\| \S", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) == len(dict(rows))
    assert dict(rows) == dict(defaults(Settings()))
