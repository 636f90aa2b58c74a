"""The checks of this project, one session each, run with the tools of the environment nox is in.

`make setup` builds that environment; `.venv/bin/nox` alone runs what a change must pass.
"""

import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "imports", "tests"]

TOOLS = Path(sys.executable).parent
SITE = "build/site"


def run(session: nox.Session, tool: str, *args: str) -> None:
    """Run `tool` of the environment that nox itself runs in."""
    session.run(str(TOOLS / tool), *args, external=True)


def pytest(session: nox.Session, *args: str) -> None:
    """Run pytest with `args`, then with what the caller gave after `--`."""
    run(session, "pytest", *args, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and likely mistakes."""
    run(session, "ruff", "check")
    run(session, "ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    run(session, "mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """The dependency rule, and that every imported library is declared."""
    run(session, "lint-imports")
    run(session, "deptry", "src")


@nox.session
def tests(session: nox.Session) -> None:
    """Every test, on two cores, with branch coverage of domain and workers."""
    coverage = () if session.posargs else ("--cov", "--cov-report=term")
    pytest(session, "-n", "2", "--dist", "worksteal", *coverage)


@nox.session
def mutation(session: nox.Session) -> None:
    """Tests against rules broken on purpose; by hand, it takes hours; -- ranks runs one."""
    run(session, "pytest", "tests/mutation", "--seeds", "10")
    run(session, "python", "-m", "tests.mutation", *session.posargs)


@nox.session
def contracts(session: nox.Session) -> None:
    """Every adapter against the contract of its port."""
    pytest(session, "tests/contracts")


@nox.session
def services(session: nox.Session) -> None:
    """Clients and doubles of other teams' services, and the doubles at length by schemathesis."""
    pytest(session, "tests/services", "tests/contracts/test_http_services.py")
    run(session, "python", "-m", "tests.services.schemathesis_runs")


@nox.session
def docs(session: nox.Session) -> None:
    """Every Python and shell block of README and docs, and every link."""
    # By file: pytest leaves out a module that a folder beside it would not collect.
    pytest(session, "tests/docs/run_blocks.py", "tests/docs/test_pages.py")


@nox.session
def site(session: nox.Session) -> None:
    """The documentation site in build/site; a warning is an error."""
    run(
        session,
        "sphinx-build",
        "-q",
        "-E",
        "-W",
        "--keep-going",
        "-d",
        "build/doctrees",
        "docs",
        SITE,
    )
    pytest(session, "tests/docs/check_site.py")


@nox.session
def wheel(session: nox.Session) -> None:
    """The wheel, installed into an empty environment with the core dependencies alone."""
    pytest(session, "tests/test_package.py")


@nox.session
def zips(session: nox.Session) -> None:
    """The zips of AWS Lambda, imported where there is nothing but them and the runtime."""
    pytest(session, "tests/deploy/test_lambda_zip.py")


@nox.session
def bench(session: nox.Session) -> None:
    """Rates of the bulk workers beside the floor of their libraries."""
    run(session, "python", "-m", "benchmarks", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Resolve constraints.txt for every supported Python and platform, with hashes."""
    run(
        session, "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--group", "dev",
        "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header",
        "--no-annotate", "--quiet", "--output-file", "constraints.txt", *session.posargs,
    )  # fmt: skip
