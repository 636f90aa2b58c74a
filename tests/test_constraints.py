"""What setup installs: everything that is declared, pinned, and checked by its hash."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PINNED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; [^\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+$",
    re.MULTILINE,
)


def pins() -> dict[str, str]:
    """The version of each pinned package; what is not a pin with hashes stays out."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return {found["name"]: found["version"] for found in PINNED.finditer(text)}


def declared() -> list[Requirement]:
    """Every requirement of the core, of the extras and of the developers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
        project["build-system"]["requires"],
    ]
    return [Requirement(line) for group in groups for line in group]


def test_constraints_hold_pins_with_hashes_alone() -> None:
    """No line of the constraints is anything but a pin with its hashes: no address, no path."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not PINNED.sub("", text).strip()


def test_every_declared_dependency_is_pinned_as_declared() -> None:
    """A pin that the declaration does not allow, or a declaration without a pin, is stale."""
    pinned = pins()
    assert not [
        str(wanted)
        for wanted in declared()
        if wanted.name != "campaign-workers"
        and not wanted.specifier.contains(pinned.get(canonicalize_name(wanted.name), "0"))
    ]
