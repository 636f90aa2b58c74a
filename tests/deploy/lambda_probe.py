"""What a function does first, in a process of its own: run by tests with the runtime's Python.

Arguments: a JSON list of folders that hold unpacked zips, and a JSON list of workers. Each of the
workers' handlers is imported and its worker is built for the profile `aws`. Prints, as JSON, the
fault of each (null: none), where the handlers came from, the libraries that were imported, and the
processor time that it took.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable

SETTINGS = {
    "PROFILE": "aws",
    "CAMPAIGN_DATA_BUCKET": "campaign-data-000000000000",
    "SCORING_BUCKET": "scoring-000000000000",
    "SMS_WAVE_STATE_MACHINE": "arn:aws:states:eu-west-1:000000000000:stateMachine:sms-wave-step-fn",
    "SERVICES_URL": "http://127.0.0.1:9/{service}",
    "MONGODB_URI": "mongodb://127.0.0.1:9/campaigns?connect=false",
}
CREDENTIALS = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}


def imported(worker: str) -> str:
    """Import the handler of `worker` and return its file."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in worker)
    module = importlib.import_module(f"campaign_workers.entrypoints.{snake}")
    assert callable(module.handler)
    return str(module.__file__)


def built(worker: str) -> str:
    """Build `worker` as its handler does when the first event comes."""
    from campaign_workers.container import Container

    assert callable(Container().worker(worker))
    return worker


def tried(step: Callable[[str], str], worker: str) -> tuple[str | None, str | None]:
    """What `step` says of `worker`, or its fault."""
    try:
        return step(worker), None
    except Exception as error:  # noqa: BLE001 - report every error
        return None, f"{type(error).__name__}: {error}"


def main(folders: list[str], workers: list[str]) -> None:
    """Import, build, tell."""
    os.environ |= CREDENTIALS | {f"CAMPAIGN_WORKERS_{name}": SETTINGS[name] for name in SETTINGS}
    sys.path[:0] = folders
    began_at = time.process_time()
    handlers = {worker: tried(imported, worker) for worker in workers}
    imported_at = time.process_time()
    workers_built = {worker: tried(built, worker) for worker in workers}
    built_at = time.process_time()
    result = {
        "places": {worker: place for worker, (place, _) in handlers.items()},
        "handlers": {worker: fault for worker, (_, fault) in handlers.items()},
        "workers": {worker: fault for worker, (_, fault) in workers_built.items()},
        "libraries": sorted({name.partition(".")[0] for name in sys.modules}),
        "seconds": {"handlers": imported_at - began_at, "workers": built_at - imported_at},
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
