"""What the tests of merging by query share."""

from collections.abc import Iterator

import pytest

from tests.adapters.aws_athena.lakes import Lake, new_lake
from tests.adapters.aws_athena.stubs import SOURCE
from tests.lake_scenes import plant


@pytest.fixture(scope="module")
def place() -> Iterator[Lake]:
    """One lake for the tests of a module, with one file of two fans."""
    with new_lake() as place:
        plant(place.objects, SOURCE, 1, 2)
        yield place
