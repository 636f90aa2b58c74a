"""Secrets in files keep their contract."""

from pathlib import Path

import pytest

from campaign_workers.adapters.local.secrets import FileSecrets
from campaign_workers.testing.contracts._base import Outage
from campaign_workers.testing.contracts.secrets import (
    Peek,
    Plant,
    SecretsContract,
    WritableSecretsContract,
)
from tests.contracts.outages import no_more_files


class TestFileSecrets(SecretsContract, WritableSecretsContract):
    """`FileSecrets`."""

    @pytest.fixture
    def secrets(self, tmp_path: Path) -> FileSecrets:
        return FileSecrets(tmp_path)

    @pytest.fixture
    def plant(self, tmp_path: Path) -> Plant:
        def plant(name: str, secret: str) -> None:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{secret}\n".encode())

        return plant

    @pytest.fixture
    def peek(self, tmp_path: Path) -> Peek:
        return lambda name: (tmp_path / name).read_bytes().decode().removesuffix("\n")

    @pytest.fixture
    def outage(self) -> Outage:
        return no_more_files

    def test_a_file_without_a_line_end_is_whole(self, secrets: FileSecrets, tmp_path: Path) -> None:
        """Whether an editor ends the line or not is no matter."""
        (tmp_path / "seed").write_bytes(b"5eed")
        assert secrets.read("seed") == "5eed"

    def test_only_the_owner_may_read(self, secrets: FileSecrets, tmp_path: Path) -> None:
        """Neither the files nor their folders are anybody else's, and nothing else is left."""
        secrets.write("campaigns/tour/lottery-seed", "5eed")
        secrets.write("campaigns/tour/lottery-seed", "0ther")
        found = sorted(tmp_path.rglob("*"))
        assert [path.name for path in found] == ["campaigns", "tour", "lottery-seed"]
        assert [path.stat().st_mode & 0o077 for path in found] == [0, 0, 0]
