"""The zips that AWS Lambda runs: the pinned wheels and this package, the same bytes every time.

`build()` makes what is missing or stale under `dist/lambda`; `manifest()` reads it.
`python -m deploy.packaging` does the same from the command line.
"""

from deploy.packaging.building import build
from deploy.packaging.manifests import LAMBDA, Manifest, Zip, manifest
from deploy.packaging.targets import Target

__all__ = ["LAMBDA", "Manifest", "Target", "Zip", "build", "manifest"]
