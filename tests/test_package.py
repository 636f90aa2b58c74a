"""The wheel, as a stranger gets it: built, installed with the core dependencies alone, used."""

import hashlib
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src" / "campaign_workers"
EXTRAS_ONLY = (
    "adapters.aws",
    "adapters.http",
    "adapters.mongo",
    "doubles",
    "entrypoints.cli.report.sections",
    "testing.contracts",
    "testing.machines",
    "testing.strategies",
)


def run(*command: str | Path, cwd: Path) -> str:
    """What `command` prints; its complaint is in the failure if it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    run(sys.executable, *build, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of an environment that holds the wheel and the core dependencies."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    wanted = folder / "requirements.txt"
    wanted.write_text(f"campaign-workers @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    scripts = folder / "env" / "bin"
    pip = (sys.executable, "-m", "pip", "--python", scripts / "python", "install", "--quiet")
    pinned = ("--require-hashes", "-r", wanted, "-c", ROOT / "constraints.txt")
    run(*pip, *pinned, cwd=folder)
    return scripts


def core_modules() -> list[str]:
    """The modules that promise to load without any extra."""
    names = []
    for path in sorted(SOURCES.rglob("*.py")):
        place = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        name = place.removesuffix("__init__").removesuffix(".")
        if not name.startswith(EXTRAS_ONLY):
            names.append(f"campaign_workers.{name}".removesuffix("."))
    return names


def test_the_wheel_carries_types_licence_and_schemas(wheel: Path) -> None:
    """Whatever the package needs at run time is in the wheel."""
    held = set(zipfile.ZipFile(wheel).namelist())
    assert "campaign_workers/py.typed" in held
    assert any(name.endswith("licenses/LICENSE") for name in held)
    schemas = {
        f"campaign_workers/schemas/{path.relative_to(ROOT / 'schemas').as_posix()}"
        for path in (ROOT / "schemas").rglob("*")
        if path.is_file()
    }
    assert schemas <= held


def test_rules_container_and_commands_need_no_extra(bare: Path) -> None:
    """Every module outside the rooms of an SDK loads with the core dependencies alone."""
    statements = "; ".join(f"import {name}" for name in core_modules() if "__main__" not in name)
    run(bare / "python", "-W", "error", "-c", statements, cwd=bare)


def test_the_installed_package_is_the_wheel(bare: Path) -> None:
    """What was tried is the installed package, not this checkout."""
    found = run(bare / "python", "-c", "import campaign_workers as c; print(c.__file__)", cwd=bare)
    assert Path(found.strip()).is_relative_to(bare.parent)


def test_the_command_line_works_without_an_extra(bare: Path) -> None:
    """A campaign runs on made-up uploads, its books balance, and it says what a report needs."""
    command = bare / "campaign-workers"
    run(command, "generate", "uploads", "--fans", "60", cwd=bare)
    told = run(command, "campaign", "uploads", "--out", "out", cwd=bare)
    assert "Reported and actual figures agree." in told
    assert "charts need campaign-workers[report]; install it" in told
