"""The built site is complete and loads nothing from another host: `nox -s site`.

pytest collects this module only by name, because the site must be built before.
"""

import re

from campaign_workers.domain.running.triggers import WORKERS
from tests.docs.pages import ROOT

SITE = ROOT / "build" / "site"
LOADED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"([^\"]+)\"|<link\b[^>]*>")
HREF = re.compile(r"href=\"([^\"]+)\"")
STYLE_LOADS = re.compile(r"@import\s+[^;]+|url\(\s*['\"]?(?:https?:)?//[^)]*\)")


def test_every_page_loads_only_local_files() -> None:
    """Scripts, styles, fonts and images are part of the site."""
    pages = sorted(SITE.rglob("*.html"))
    assert len(pages) > len(WORKERS)
    for page in pages:
        for tag in LOADED.finditer(page.read_text(encoding="utf-8")):
            source = tag[1] or (HREF.search(tag[0]) or [""])[1]
            assert not re.match(r"(?:https?:)?//", source), f"{page.relative_to(SITE)}: {source}"


def test_no_style_sheet_loads_anything_from_another_host() -> None:
    """A style sheet imports no other one and takes no font from elsewhere."""
    for sheet in SITE.rglob("*.css"):
        assert not STYLE_LOADS.search(sheet.read_text(encoding="utf-8")), sheet.name


def test_the_site_has_a_page_for_each_worker() -> None:
    """The reference is complete."""
    assert {page.stem for page in (SITE / "workers").glob("*.html")} == set(WORKERS)


def test_repository_files_are_pages_of_the_site() -> None:
    """Stubs of files in the repository's root were replaced by their content."""
    for name in ("changelog", "contributing", "security"):
        page = (SITE / f"{name}.html").read_text(encoding="utf-8")
        assert "The documentation site shows" not in page
