"""The build: wheels once for each set of pins, this package on top of them whenever it changes."""

import fcntl
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from campaign_workers.domain.running.triggers import WORKERS
from deploy.packaging.archives import files_below, places, unpacked_bytes, write
from deploy.packaging.bytecode import compile_below
from deploy.packaging.contents import (
    BULK,
    CONSTRAINTS,
    EXTRAS,
    LEAN,
    ROOT,
    ZIPS,
    own_files,
    requirements,
    zip_of,
)
from deploy.packaging.manifests import LAMBDA, Manifest, Zip, manifest
from deploy.packaging.targets import Target
from deploy.packaging.wheels import install

CACHE: Final = ROOT / "build" / "lambda"
"""Zips of the wheels alone, by what they were made of."""


def build(
    out: Path = LAMBDA, *, target: Target | None = None, extras: tuple[str, ...] = EXTRAS
) -> Manifest:
    """Build the zips of `target` into `out`, unless they are there already.

    Raises:
        RuntimeError: wheels are missing or are not the pinned ones, or a module does not compile.
    """
    target = target or Target()
    wheels = _wheels_made_of(target, extras)
    made_of = _fingerprint([wheels.encode(), *_texts(own_files())])
    with _build_lock():
        if (lying := _existing(out, made_of)) is not None:
            return lying
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            own = _own(Path(scratch), target)
            for name, base in _bases(wheels, target, extras).items():
                write(out / f"{name}.zip", own, base=base)
        made = _describe(out, target, made_of)
        made.write()
        return made


def _wheels_made_of(target: Target, extras: tuple[str, ...]) -> str:
    words = [repr(target), sys.version, CONSTRAINTS.read_text(encoding="utf-8")]
    words += [line for name in ZIPS for line in requirements(name, extras)]
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return _fingerprint([*(word.encode() for word in words), *(p.read_bytes() for p in sources)])


def _texts(files: Iterable[tuple[str, Path]]) -> Iterator[bytes]:
    for name, path in files:
        yield name.encode()
        yield path.read_bytes()


def _fingerprint(parts: Iterable[bytes]) -> str:
    """Return a digest of the parts; each is hashed by itself, so parts cannot run together."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


@contextmanager
def _build_lock() -> Iterator[None]:
    """Hold the build lock, so that concurrent builds wait for one another."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _existing(out: Path, made_of: str) -> Manifest | None:
    try:
        found = manifest(out)
        whole = all(each.path.stat().st_size == each.zipped for each in found.zips)
    except (OSError, ValueError, KeyError):
        return None
    return found if whole and found.made_of == made_of else None


def _own(scratch: Path, target: Target) -> list[tuple[str, Path]]:
    """Return the files of this package for every zip."""
    for name, path in own_files():
        copy = scratch / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return _compile(scratch, target)


def _bases(wheels: str, target: Target, extras: tuple[str, ...]) -> dict[str, Path]:
    """Return the zips without this package, from the cache if they are there."""
    folder = CACHE / wheels[:16]
    bases = {name: folder / f"{name}.zip" for name in ZIPS}
    if all(base.exists() for base in bases.values()):
        return bases
    folder.mkdir(exist_ok=True)
    below: Path | None = None
    for name in (LEAN, BULK):
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            held = places(below) if below else frozenset()
            install(requirements(name, extras), target, Path(scratch), but=held)
            write(bases[name], _compile(Path(scratch), target), base=below)
        below = bases[name]
    return bases


def _compile(folder: Path, target: Target) -> list[tuple[str, Path]]:
    if target.compiles_here:
        compile_below(folder)
    return files_below(folder)


def _describe(out: Path, target: Target, made_of: str) -> Manifest:
    zips = {name: _measure((out / f"{name}.zip").resolve()) for name in ZIPS}
    return Manifest(
        python=target.python,
        architecture=target.architecture,
        zips=tuple(zips.values()),
        functions={worker: zips[zip_of(worker)].path for worker in WORKERS},
        made_of=made_of,
    )


def _measure(path: Path) -> Zip:
    packages = unpacked_bytes(path)
    return Zip(
        path=path,
        zipped=path.stat().st_size,
        unpacked=sum(packages.values()),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        packages=packages,
    )
