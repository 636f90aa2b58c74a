"""The pages of the documentation and the code blocks in them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
from markdown_it import MarkdownIt

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NOT_RUN: Final = re.compile(r"<!-- not run: (?P<reason>.+) -->\s*")
RUN: Final = frozenset({"python", "sh"})
SHELL_SECONDS: Final = 600


@attrs.frozen
class Block:
    """A code block of a page.

    Attributes:
        line: the line of its first line of code, from 1.
        language: the language after its opening fence; empty for an indented block.
        reason: why the block is not run, from the comment before it.
    """

    page: Path
    line: int
    language: str
    code: str
    reason: str | None

    @property
    def place(self) -> str:
        """Return the page and line as an editor opens them."""
        return f"{name_of(self.page)}:{self.line}"

    def run(self, namespace: dict[str, Any]) -> None:
        """Run the block in the current folder, with the names that earlier blocks defined.

        Raises:
            AssertionError: a shell block fails; the message contains its output.
        """
        if self.language == "python":
            source = "\n" * (self.line - 1) + self.code
            exec(compile(source, self.page, "exec"), namespace)
        else:
            _run_shell(self)


def name_of(page: Path) -> str:
    """Return the path of a page within the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """Return the code blocks of a page, in order."""
    comment = ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type in {"fence", "code_block"}:
            assert token.map is not None
            marked = NOT_RUN.fullmatch(comment)
            yield Block(
                page=page,
                line=token.map[0] + (2 if token.type == "fence" else 1),
                language=token.info.strip(),
                code=token.content,
                reason=marked["reason"] if marked else None,
            )
        comment = token.content if token.type == "html_block" else ""


def runnable(page: Path) -> list[Block]:
    """Return the blocks of a page that are run, in order."""
    return [block for block in blocks(page) if block.language in RUN and not block.reason]


def clone_into(folder: Path) -> None:
    """Copy the tracked files into `folder` and link the environment, as after `make setup`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    environment = folder / ".venv"
    environment.mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name != ".ready":
            (environment / path.name).symlink_to(path)
    # Newer than pyproject.toml, so that make does not install the environment again.
    (environment / ".ready").touch()


def _run_shell(block: Block) -> None:
    tools = Path(sys.executable).parent
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CAMPAIGN_WORKERS_", "COV_", "PYTEST_"))
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        env=environment | {"PATH": path, "HOME": str(Path.cwd())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SHELL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{block.place}: exit status {done.returncode}\n{done.stdout}"
