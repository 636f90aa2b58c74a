"""Ministack as a process of its own: it says where it listens, and ends when its input does.

It speaks AWS's protocols on one port of loopback. It writes only under the given folder.
A line `kill` on its input ends it as a power cut would, a line such as `pass 300` puts the clock of
its schedules forward, by seconds.
"""

import argparse
import asyncio
import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, Final

from tests.servers.aws_runtime import lambda_interpreter

KEEP: Final = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "TZ")
"""What the emulator, and so the functions, get to know of the environment of the tests."""
SWITCHES: Final = {
    "BIND_HOST": "127.0.0.1",
    "MINISTACK_HOST": "127.0.0.1",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "LAMBDA_EXECUTOR": "local",
    "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.5",
    "LOG_LEVEL": "WARNING",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def main() -> None:
    """Serve on the given port of loopback, or on a free one, until input ends or SIGTERM comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--durable", action="store_true", help="keep what was acknowledged")
    parser.add_argument("--roles", action="store_true", help="functions may do what roles say")
    parser.add_argument("--keep", action="store_true", help="leave the folder behind")
    given = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", given.port))
    listener.set_inheritable(False)
    port = listener.getsockname()[1]
    _prepare_environment(given, port)
    _patch(given.folder)
    asyncio.run(_serve(listener, port))
    _end_functions()
    if not given.keep:
        shutil.rmtree(given.folder, ignore_errors=True)
    os._exit(0)  # threads of event sources would keep the process


def _prepare_environment(given: argparse.Namespace, port: int) -> None:
    """Give this process folders and settings of its own, before Ministack reads them."""
    places = {
        "HOME": given.folder / "home",
        "TMPDIR": given.folder / "tmp",
        "STATE_DIR": given.folder / "state",
        "S3_DATA_DIR": given.folder / "s3",
    }
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in KEEP if name in os.environ}
    os.environ.clear()
    os.environ.update(
        kept | SWITCHES | {name: str(place) for name, place in places.items()},
        GATEWAY_PORT=str(port),
        AUTH=str(given.roles),
        PERSIST_STATE=str(int(given.durable)),
        S3_PERSIST=str(int(given.durable)),
    )


def _patch(folder: Path) -> None:
    """Bring Ministack nearer to AWS; only now, for its modules read the environment at import."""
    from tests.servers import (
        aws_async_fixes,
        aws_athena_fixes,
        aws_deployment_fixes,
        aws_durability,
        aws_iam_fixes,
        aws_kinesis_fixes,
        aws_lambda_fixes,
    )

    aws_async_fixes.apply()
    aws_athena_fixes.apply()
    aws_deployment_fixes.apply()
    aws_iam_fixes.apply()
    aws_kinesis_fixes.apply()
    aws_lambda_fixes.apply(lambda_interpreter(folder / "lambda-runtime"))
    aws_durability.apply()


async def _serve(listener: socket.socket, port: int) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{os.dup(listener.fileno())}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.1
    config.loglevel = "ERROR"
    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, asked_to_end.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C is handled by the parent process
    threading.Thread(target=_obey_input, args=(loop, asked_to_end), daemon=True).start()
    await serve(_announcing(f"http://127.0.0.1:{port}"), config, shutdown_trigger=asked_to_end.wait)


def _obey_input(loop: asyncio.AbstractEventLoop, asked_to_end: asyncio.Event) -> None:
    from tests.servers.aws_deployment_fixes import pass_time
    from tests.servers.aws_durability import power_cut

    for line in sys.stdin:
        match line.split():
            case ["kill"]:
                loop.call_soon_threadsafe(power_cut)
                return
            case ["pass", seconds]:
                pass_time(float(seconds))
                print("passed", flush=True)
    loop.call_soon_threadsafe(asked_to_end.set)


def _announcing(endpoint: str) -> Any:
    """Ministack's application, which says that it is ready once it is."""
    from ministack.app import app

    async def announce(scope: Any, receive: Any, send: Any) -> None:
        async def tell(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                print(endpoint, flush=True)

        await app(scope, receive, tell if scope["type"] == "lifespan" else send)

    return announce


def _end_functions() -> None:
    from ministack.core import lambda_runtime

    workers = [worker for pool in lambda_runtime._workers.values() for worker in pool]
    lambda_runtime.kill_workers(workers)


if __name__ == "__main__":
    main()
