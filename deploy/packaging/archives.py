"""Zips of the same bytes whenever they are written from the same files."""

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from deploy.packaging.binaries import without_symbols

FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
READABLE: Final = 0o100644 << 16
ON_UNIX: Final = 3
LEVEL: Final = 6


def files_below(folder: Path) -> list[tuple[str, Path]]:
    """The files below `folder` by their places, in order."""
    found = ((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*"))
    return sorted((name, path) for name, path in found if path.is_file())


def write(archive: Path, files: Iterable[tuple[str, Path]], *, base: Path | None = None) -> None:
    """Write `files` into `archive`, behind all that is in `base`; whole or not at all."""
    part = archive.with_suffix(".part")
    if base is not None:
        shutil.copyfile(base, part)
    with ZipFile(part, "a" if base else "w") as opened:
        for name, path in files:
            content = without_symbols(path.read_bytes())
            opened.writestr(_entry(name), content, ZIP_DEFLATED, LEVEL)
    part.replace(archive)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, FIRST_DAY)
    entry.external_attr, entry.create_system = READABLE, ON_UNIX
    return entry


def places(archive: Path) -> frozenset[str]:
    """The places of the files in `archive`."""
    with ZipFile(archive) as opened:
        return frozenset(opened.namelist())


def unpacked_bytes(archive: Path) -> dict[str, int]:
    """How much each package of `archive` takes once unpacked, the largest first."""
    sizes: Counter[str] = Counter()
    with ZipFile(archive) as opened:
        for entry in opened.infolist():
            sizes[entry.filename.partition("/")[0]] += entry.file_size
    return dict(sizes.most_common())
