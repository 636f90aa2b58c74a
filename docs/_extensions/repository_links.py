"""Let the pages of docs/ link to any file of the repository, as they do where they are stored.

A link that leaves docs/ becomes a link to the repository. A link to a folder becomes a link to
the page that lists its content. CONTRIBUTING.md, CHANGELOG.md and SECURITY.md are shown as pages,
in the place of stubs with the same names.
"""

import os
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
SHOWN = {
    ROOT / f"{name.upper()}.md": DOCS / f"{name}.md"
    for name in ("contributing", "changelog", "security")
}
"""Files of the repository's root, and the pages that show them."""

FENCE = re.compile(r"(^ *```.*?^ *```)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


def show_repository_files(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace a stub by the file that it names, and rewrite the links of the page."""
    page = DOCS / f"{docname}.md"
    shown = next((file for file, stub in SHOWN.items() if stub == page), page)
    if shown != page:
        app.env.note_dependency(str(shown))
        source[0] = shown.read_text(encoding="utf-8")

    def rewritten(link: re.Match[str]) -> str:
        target = _target((shown.parent / link["path"]).resolve(), app.config.repository_url)
        if isinstance(target, Path):
            target = Path(os.path.relpath(target, page.parent)).as_posix()
        return f"]({target}{link['anchor'] or ''})"

    parts = FENCE.split(source[0])
    source[0] = "".join(
        part if part.lstrip().startswith("```") else LINK.sub(rewritten, part) for part in parts
    )


def _target(path: Path, repository: str) -> Path | str:
    if path in SHOWN:
        return SHOWN[path]
    if path == ROOT / "README.md":
        return DOCS / "index.md"
    if path.is_dir() and path.is_relative_to(DOCS):
        return next(page for page in (path / "README.md", path.with_suffix(".md")) if page.exists())
    if path.is_relative_to(DOCS):
        return path
    kind = "tree" if path.is_dir() else "blob"
    return f"{repository}/{kind}/main/{path.relative_to(ROOT).as_posix()}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_config_value("repository_url", "", "env")
    app.connect("source-read", show_repository_files)
    return {"version": "1", "parallel_read_safe": True}
