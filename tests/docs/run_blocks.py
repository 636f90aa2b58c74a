"""Every Python and shell block of README and docs, page by page: `nox -s docs`.

pytest collects this module only by name, because some blocks take a minute.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import PAGES, clone_into, name_of, runnable

PAGES_WITH_BLOCKS = [page for page in PAGES if runnable(page)]


@pytest.mark.parametrize("page", PAGES_WITH_BLOCKS, ids=name_of)
def test_every_block_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of a page run one after the other in a fresh clone."""
    clone_into(tmp_path)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    for block in runnable(page):
        block.run(namespace)
