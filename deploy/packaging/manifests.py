"""The contents of `dist/lambda`, as a manifest that other programs read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from deploy.packaging.contents import ROOT

LAMBDA: Final = ROOT / "dist" / "lambda"
"""Where the zips go that the template names."""
MANIFEST: Final = "manifest.json"


@attrs.frozen(kw_only=True)
class Zip:
    """A zip and its sizes in bytes; `packages` are the unpacked ones, the largest first."""

    path: Path
    zipped: int
    unpacked: int
    sha256: str
    packages: Mapping[str, int]

    @property
    def name(self) -> str:
        """Return the name of the zip, such as `lean`."""
        return self.path.stem


@attrs.frozen(kw_only=True)
class Manifest:
    """The zips, in the order in which they can be laid over one another.

    `functions` says which zip each worker runs from, `made_of` is the fingerprint of what the zips
    were built from.
    """

    python: str
    architecture: str
    zips: tuple[Zip, ...]
    functions: Mapping[str, Path]
    made_of: str

    def zip_of(self, worker: str) -> Zip:
        """The zip that `worker` runs from."""
        return next(each for each in self.zips if each.path == self.functions[worker])

    def write(self) -> None:
        """Write `manifest.json` beside the zips; paths in it are absolute."""
        text = json.dumps(self.wire(), indent=2) + "\n"
        place = self.zips[0].path.parent / MANIFEST
        part = place.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(place)

    def wire(self) -> dict[str, object]:
        """The manifest as JSON has it."""
        return {
            "python": self.python,
            "architecture": self.architecture,
            "zips": [str(each.path) for each in self.zips],
            "functions": {worker: str(path) for worker, path in self.functions.items()},
            "sizes": {
                str(each.path): {
                    "zipped": each.zipped,
                    "unpacked": each.unpacked,
                    "sha256": each.sha256,
                    "packages": dict(each.packages),
                }
                for each in self.zips
            },
            "madeOf": self.made_of,
        }


def manifest(out: Path = LAMBDA) -> Manifest:
    """What was built into `out`.

    Raises:
        FileNotFoundError: nothing was.
    """
    wire = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    zips = (Zip(path=Path(path), **wire["sizes"][path]) for path in wire["zips"])
    return Manifest(
        python=wire["python"],
        architecture=wire["architecture"],
        zips=tuple(zips),
        functions={worker: Path(path) for worker, path in wire["functions"].items()},
        made_of=wire["madeOf"],
    )
