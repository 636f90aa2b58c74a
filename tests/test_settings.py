"""What may be set from outside."""

from pathlib import Path

import attrs
import pytest

from campaign_workers.domain.errors import BadInput
from campaign_workers.settings import Settings, load_settings


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
    [("PROFILE", "moon"), ("TEXTS_IN_FLIGHT", "0"), ("MERGE_LIMIT_BYTES", "many")],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A setting that cannot be is refused with its name, before anything starts."""
    monkeypatch.setenv(f"CAMPAIGN_WORKERS_{name}", value)
    with pytest.raises(BadInput, match=name.lower()):
        load_settings()
