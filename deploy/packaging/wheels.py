"""The pinned wheels of a target, unpacked into a folder."""

import subprocess
import tempfile
from collections.abc import Container, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name
from uv import find_uv_bin

from deploy.packaging.contents import CONSTRAINTS, IN_THE_RUNTIME, LEFT_OUT, ROOT, pins
from deploy.packaging.targets import Target


def install(
    requirements: Sequence[str], target: Target, folder: Path, *, but: Container[str] = ()
) -> None:
    """Unpack the wheels of `requirements`, and of what these need, into `folder`.

    Versions and hashes are those of the constraints; nothing is built from source. What no
    function reads is taken out again, and so are the files whose places are in `but`.

    Raises:
        RuntimeError: a wheel is missing, has another hash, or is of no pinned version.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wanted, excluded = Path(scratch, "wanted.txt"), Path(scratch, "excluded.txt")
        wanted.write_text("\n".join(requirements), encoding="utf-8")
        excluded.write_text("\n".join(IN_THE_RUNTIME), encoding="utf-8")
        chosen = ("--requirements", wanted, "--excludes", excluded, "--constraints", CONSTRAINTS)
        system = ("--python-platform", target.wheels, "--python-version", target.python)
        _uv("--only-binary", ":all:", "--target", folder, *system, *chosen)
    _check_pinned(folder)
    for path in list(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        if path.is_file() and (place in but or LEFT_OUT.search(place)):
            path.unlink()


def _uv(*args: str | Path) -> None:
    command = [find_uv_bin(), "pip", "install", "--quiet", *map(str, args)]
    done = subprocess.run(  # noqa: S603 - all of it is ours
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the wheels of the zips cannot be installed: {done.stderr.strip()}")


def _check_pinned(folder: Path) -> None:
    """Only what is pinned has hashes, so nothing else may have come along."""
    pinned = pins()
    for path in folder.glob("*.dist-info"):
        name, _, version = path.name.removesuffix(".dist-info").rpartition("-")
        if pinned.get(canonicalize_name(name)) != version:
            raise RuntimeError(f"{name} {version} is not what constraints.txt pins")
