"""Sphinx configuration of the documentation site: `make docs` builds and serves it."""

import sys
import tomllib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import campaign_workers

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

with (HERE.parent / "pyproject.toml").open("rb") as file:
    urls = tomllib.load(file)["project"]["urls"]

project = "campaign-workers"
author = "the campaign-workers contributors"
project_copyright = f"2026, {author}"
version = release = campaign_workers.__version__
repository_url = urls["Repository"]

extensions = [
    "myst_parser",
    "repository_links",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
root_doc = "index"
source_suffix = {".md": "markdown"}
exclude_patterns = ["_extensions"]
default_role = "code"
highlight_language = "text"

myst_enable_extensions = ["attrs_inline", "deflist"]
myst_heading_anchors = 4

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = "campaign-workers"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_theme_options = {
    "source_repository": repository_url,
    "source_branch": "main",
    "source_directory": "docs/",
}
copybutton_exclude = ".linenos, .gp, .go"


def protocol_signature(
    app: Sphinx, kind: str, name: str, subject: Any, options: Any, *texts: str | None
) -> tuple[str, str] | None:
    """Show no constructor for a protocol, because it has no instances."""
    return ("", "") if kind == "class" and getattr(subject, "_is_protocol", False) else None


def setup(app: Sphinx) -> None:
    """Register the hook for signatures."""
    app.connect("autodoc-process-signature", protocol_signature)
