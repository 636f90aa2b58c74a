"""Archives by stream-zip keep their contract."""

import pytest

from campaign_workers.adapters.archive.stream_zip import StreamZip
from campaign_workers.testing.contracts.zip_writer import ZipWriterContract


class TestStreamZip(ZipWriterContract):
    """`StreamZip`."""

    @pytest.fixture
    def zips(self) -> StreamZip:
        return StreamZip()
