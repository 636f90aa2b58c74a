"""What brings Ministack's functions nearer to AWS's: one function a difference."""

import hashlib
import queue
import re
import shutil
import threading
import time
import zipfile
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any, Final

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

RAISED: Final = re.compile(r"^([\w.]+)(?:: |$)")
"""The last line of a traceback: the class, and maybe what it says."""

END_OF_LOG: Final = "-- end of the call's log --"
LOG_SECONDS: Final = 30
"""How long the rest of a log is waited for, if its end does not come."""
_CALL: Final = "            result = handler_fn(event, context)\n"
_MARKED_CALL: Final = f"""            try:
                result = handler_fn(event, context)
            finally:
                print({END_OF_LOG!r}, file=sys.stderr, flush=True)
"""


def apply(interpreter: Path) -> None:
    """Make all the differences; functions run in `interpreter`."""
    run_functions_in_an_interpreter_of_their_own(interpreter)
    wait_for_the_whole_log_of_a_call()
    give_functions_a_temporary_folder_of_their_own()
    name_errors_by_their_class()
    keep_one_copy_of_code_that_is_shared()
    unpack_code_once()


def run_functions_in_an_interpreter_of_their_own(interpreter: Path) -> None:
    """A zip must bring what it imports; Ministack's own packages would hide what it lacks."""
    detect = lambda_runtime._detect_runtime_binary

    def lean(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(interpreter) if runtime.startswith("python") else binary), script

    lambda_runtime._detect_runtime_binary = lean


def wait_for_the_whole_log_of_a_call() -> None:
    """On a busy machine an answer overtakes the log, and Ministack waits for that 50 ms at most."""
    detect = lambda_runtime._detect_runtime_binary

    def marking(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        if not runtime.startswith("python"):
            return binary, script
        assert _CALL in script
        return binary, script.replace(_CALL, _MARKED_CALL)

    lambda_runtime._detect_runtime_binary = marking
    lambda_runtime.Worker._drain_stderr_bounded = _whole_log


def _whole_log(worker: Any) -> str:
    lines: list[str] = []
    end = time.monotonic() + LOG_SECONDS
    while time.monotonic() < end:
        ended = not worker._stderr_thread.is_alive()
        try:
            line = worker._stderr_queue.get(timeout=0.05)
        except queue.Empty:
            if ended:
                break
            continue
        if line == END_OF_LOG:
            break
        lines.append(line)
    return "\n".join(lines)


def give_functions_a_temporary_folder_of_their_own() -> None:
    """What they write to /tmp goes away with the emulator, and no two functions share it."""
    spawn = lambda_runtime.Worker._spawn

    def spawn_with_folder(worker: Any) -> None:
        folder = Path(gettempdir(), f"tmp-of-{worker.func_name}")
        folder.mkdir(exist_ok=True)
        variables = (worker.config.get("Environment") or {}).get("Variables") or {}
        own = {name: str(folder) for name, value in variables.items() if value == "/tmp"}
        environment = {"Variables": variables | own | {"TMPDIR": str(folder)}}
        worker.config = worker.config | {"Environment": environment}
        spawn(worker)

    lambda_runtime.Worker._spawn = spawn_with_folder


def name_errors_by_their_class() -> None:
    """Retriers and catchers of state machines match the class; Ministack says HandlerError."""
    execute = lambda_svc._execute_function_warm

    def execute_and_name(func: Any, event: Any, request_id: str) -> Any:
        result = execute(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict):
            last = (result.get("log") or "").rstrip().rpartition("\n")[2]
            raised = RAISED.match(last) if "Traceback" in result["log"] else None
            if raised and body.get("errorType") == "Runtime.HandlerError":
                body["errorType"] = raised[1].rpartition(".")[2]
        return result

    lambda_svc._execute_function_warm = execute_and_name


def keep_one_copy_of_code_that_is_shared() -> None:
    """Fifteen functions of one zip would hold it in memory fifteen times."""
    fetch = lambda_svc._fetch_code_from_s3
    copies: dict[bytes, bytes] = {}

    def fetch_once(bucket: str, key: str, version_id: str | None = None) -> bytes | None:
        code: bytes | None = fetch(bucket, key, version_id)
        return code and copies.setdefault(hashlib.sha256(code).digest(), code)

    lambda_svc._fetch_code_from_s3 = fetch_once


def unpack_code_once() -> None:
    """Each process would unpack its own copy: seconds of a cold start, gigabytes of files."""
    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=_UnpackedOnce,
        BadZipFile=zipfile.BadZipFile,
        LargeFileError=zipfile.LargeZipFile,
    )


class _UnpackedOnce(zipfile.ZipFile):
    """A zip whose content is shared by all processes that unpack the same bytes."""

    _unpacking = threading.Lock()

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        """Put a link to the unpacked content in the place of the empty folder `path`."""
        packed = Path(str(self.filename))
        folder = Path(gettempdir(), "unpacked", hashlib.sha256(packed.read_bytes()).hexdigest())
        with self._unpacking:
            if not folder.exists():
                partial = folder.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)
                super().extractall(partial)
                partial.rename(folder)
        packed.unlink()
        Path(path).rmdir()
        Path(path).symlink_to(folder)
