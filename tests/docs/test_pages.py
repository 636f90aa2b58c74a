"""The documentation runs, and its links lead to files that exist."""

import importlib
import re
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import PAGES, ROOT, RUN, blocks, name_of, runnable

LANGUAGES = {"{eval-rst}", "{toctree}", "json", "python", "sh", "sql", "text", "toml", "yaml"}
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(#[^)\s]*)?")
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
MARK = re.compile(r"^ *<!-- not run", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(
    r"(src|tests|deploy|docs|examples|benchmarks|schemas|domain|ports|workers|adapters|container"
    r"|entrypoints|testing|doubles|samples)/[\w./{}<>*-]*"
)
DOTTED = re.compile(r"campaign_workers(\.\w+)+")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
MAKE = re.compile(r"(?:^|[\s`])make ([a-z-]+)\b")
SESSION_NAME = re.compile(r"^def (\w+)\(session", re.MULTILINE)
SESSION = re.compile(r"\bnox -s ([a-z-]+)")

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
python_pages = [
    page for page in PAGES if any(block.language == "python" for block in runnable(page))
]


@pytest.mark.parametrize("page", python_pages, ids=name_of)
def test_the_first_python_blocks_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Python blocks before the first shell block run as written, in an empty folder.

    Later ones may need the files of a shell block; `nox -s docs` runs all of them.
    """
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    for block in takewhile(lambda block: block.language != "sh", runnable(page)):
        block.run(namespace)


@every_page
def test_every_block_names_its_language(page: Path) -> None:
    """An indented block or an unknown language could hide a command from these tests."""
    assert not [block.place for block in blocks(page) if block.language not in LANGUAGES]


@every_page
def test_a_block_that_is_not_run_has_a_reason(page: Path) -> None:
    """`<!-- not run: reason -->` exempts a runnable block, and precedes no other."""
    marked = [block for block in blocks(page) if block.reason is not None]
    assert not [block.place for block in marked if block.language not in RUN]
    assert not [block.place for block in marked if len((block.reason or "").split()) < 2]
    assert len(MARK.findall(page.read_text(encoding="utf-8"))) == len(marked)


@every_page
def test_every_link_leads_to_a_file(page: Path) -> None:
    """A relative link names a file of the repository, and its anchor a heading of that file."""
    for name, anchor in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        target = page.parent / name if name else page
        assert target.exists(), f"{name_of(page)} links to {name}, which does not exist"
        if anchor and target.suffix == ".md":
            assert anchor[1:] in anchors(target), f"{name_of(page)}: {name}{anchor} has no heading"


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, in the form that repositories use."""
    headings = HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def test_every_make_target_and_session_exists() -> None:
    """A page names no `make` target and no nox session that was renamed or removed."""
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    sessions = set(
        re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    )
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = "\n".join([*re.findall(r"`[^`\n]+`", text), *(block.code for block in blocks(page))])
        assert set(MAKE.findall(code)) <= targets, name_of(page)
        assert set(SESSION.findall(code)) <= sessions, name_of(page)


@every_page
def test_every_path_in_code_exists(page: Path) -> None:
    """A file, folder or module that a page names in code was not renamed or removed."""
    named = set(CODE.findall(FENCED.sub("", page.read_text(encoding="utf-8"))))
    assert not [name for name in sorted(named) if PATH.fullmatch(name) and not path_exists(name)]
    assert not [name for name in sorted(named) if DOTTED.fullmatch(name) and not importable(name)]


def path_exists(name: str) -> bool:
    """Return whether a path or pattern, from the root or within the package, matches anything."""
    pattern = re.sub(r"[{<][^}>]*[}>]", "*", name).rstrip("/")
    return any(any(root.glob(pattern)) for root in (ROOT, ROOT / "src" / "campaign_workers"))


def importable(name: str) -> bool:
    """Return whether a dotted name is a module of the package or an attribute of one."""
    module, _, attribute = name.rpartition(".")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        try:
            return hasattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError:
            return False
    return True


def test_the_architecture_lists_every_package() -> None:
    """Its table has a row for each package of the source tree, and README a line."""
    package = ROOT / "src" / "campaign_workers"
    packages = {path.parent.name for path in package.glob("*/__init__.py")}
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)/` \|", architecture, re.MULTILINE)) == packages
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^  (\w+)/ ", readme, re.MULTILINE)) == packages


def test_every_page_is_in_the_navigation() -> None:
    """A `toctree` of a page lists each page of docs/; the site would not lead to it otherwise."""
    docs = ROOT / "docs"
    listed = {
        found.resolve()
        for page in PAGES
        for block in blocks(page)
        if block.language == "{toctree}"
        for entry in block.code.split()
        if not entry.startswith(":")
        for found in page.parent.glob(f"{entry}.md")
    }
    pages = {page for page in PAGES if page.is_relative_to(docs)}
    assert listed == pages - {docs / "index.md"}
