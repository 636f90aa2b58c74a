"""Mutation testing of the rules with cosmic-ray: `python -m tests.mutation [subject ...]`.

Each subject is mutated in a copy of the tree, so the working copy is never touched. A mutant that
passes the subject's tests survives; the run fails on survivors that `EXPLAINED` does not cover.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs

from tests.mutation.equivalent import EXPLAINED
from tests.mutation.operators import is_wanted
from tests.mutation.subjects import SUBJECTS, Subject

ROOT = Path(__file__).parents[2]
SESSION = "mutation.sqlite"
COPIED = ("src", "tests", "schemas", "deploy", "examples", "docs")
CPU_SECONDS = 60
"""For the tests of one mutant: a mutant that loops ends by it, however busy the machine is."""
PYTEST = "-m pytest -x -q --tb=no --no-header -p no:randomly -p no:cacheprovider"
CONFIG = """\
[cosmic-ray]
module-path = [{sources}]
timeout = {timeout}
excluded-modules = []
test-command = '{command}'

[cosmic-ray.distributor]
name = "local"
"""


@attrs.frozen(kw_only=True)
class Mutant:
    """One change of one line, and whether the tests noticed it."""

    module: str
    line: int
    operator: str
    is_killed: bool
    before: str
    after: str

    @property
    def is_explained(self) -> bool:
        """Whether there is a reason why no test kills it."""
        return any(reason.matches(Path(self.module).stem, self.after) for reason in EXPLAINED)


def main() -> int:
    """Mutate the subjects that are named, or all; return 1 for an unexplained survivor."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="subject", help=", ".join(SUBJECTS))
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree to copy and mutate")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one mutant's tests")
    chosen = parser.parse_args()
    unexplained = 0
    for name in chosen.subjects or SUBJECTS:
        mutants = list(mutate(SUBJECTS[name], chosen.root, chosen.timeout))
        unexplained += report(name, mutants)
    return int(unexplained > 0)


def mutate(subject: Subject, root: Path, timeout: float) -> Iterator[Mutant]:
    """Yield every mutant of a subject after its tests have run."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder)
        for name in COPIED:
            if (root / name).exists():
                shutil.copytree(
                    root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__")
                )
        for path in root.glob("*.*"):
            if path.is_file():
                shutil.copy(path, copy)
        tests = f"{PYTEST} {' '.join(subject.tests)}"
        command = f'bash -c "ulimit -t {CPU_SECONDS}; exec {sys.executable} {tests}"'
        sources = ", ".join(f'"{source}"' for source in subject.sources)
        config = copy / "cosmic-ray.toml"
        config.write_text(CONFIG.format(sources=sources, timeout=timeout, command=command))
        # Writes the bytecode of the tree too, which the runs of the mutants read.
        _run(copy, *tests.split())
        cosmic_ray = ("-m", "cosmic_ray.cli")
        _run(copy, *cosmic_ray, "init", config.name, SESSION)
        skip_unwanted(copy)
        _run(copy, *cosmic_ray, "exec", config.name, SESSION)
        yield from results(copy)


def _run(copy: Path, *arguments: str) -> None:
    environment = os.environ | {
        "HYPOTHESIS_PROFILE": "mutation",
        "POLARS_MAX_THREADS": "1",
        "PYTHONPATH": str(copy / "src"),
    }
    subprocess.run((sys.executable, *arguments), cwd=copy, env=environment, check=True)


def skip_unwanted(copy: Path) -> None:
    """Mark the mutants that the run leaves out as skipped."""
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import WorkerOutcome, WorkResult

    with use_db(str(copy / SESSION), WorkDB.Mode.open) as database:
        skipped = [
            item.job_id
            for item in database.work_items
            if not is_wanted(item.mutations[0].operator_name, item.mutations[0], copy)
        ]
        database.set_multiple_results(skipped, WorkResult(WorkerOutcome.SKIPPED))


def results(copy: Path) -> Iterator[Mutant]:
    """Yield the mutants whose tests have run, in the order of the source."""
    from cosmic_ray.work_db import WorkDB, use_db

    with use_db(str(copy / SESSION), WorkDB.Mode.open) as database:
        outcomes = dict(database.results)
        items = sorted(
            database.work_items,
            key=lambda item: (str(item.mutations[0].module_path), item.mutations[0].start_pos),
        )
    for item in items:
        outcome = outcomes.get(item.job_id)
        if outcome is None or outcome.test_outcome is None:
            continue
        (mutation,) = item.mutations
        before, after = changed_lines(outcome.diff or "")
        yield Mutant(
            module=str(mutation.module_path),
            line=mutation.start_pos[0],
            operator=mutation.operator_name.removeprefix("core/"),
            is_killed=outcome.is_killed,
            before=before,
            after=after,
        )


def changed_lines(diff: str) -> tuple[str, str]:
    """Return what a diff takes away and what it puts there, each as one line."""
    lines = diff.splitlines()[3:]
    return (
        " ".join(line[1:].strip() for line in lines if line.startswith("-")),
        " ".join(line[1:].strip() for line in lines if line.startswith("+")),
    )


def report(name: str, mutants: list[Mutant]) -> int:
    """Print a subject's figures and its survivors; return how many are unexplained."""
    survivors = [mutant for mutant in mutants if not mutant.is_killed]
    unexplained = [mutant for mutant in survivors if not mutant.is_explained]
    totals, killed = (
        Counter(mutant.module for mutant in some)
        for some in (mutants, [mutant for mutant in mutants if mutant.is_killed])
    )
    for module, total in totals.items():
        print(f"{name}\t{module}\t{killed[module]}/{total} killed")
    print(
        f"{name}: {len(mutants)} mutants, {len(mutants) - len(survivors)} killed, "
        f"{len(survivors) - len(unexplained)} explained, {len(unexplained)} unexplained"
    )
    for mutant in unexplained:
        print(f"  {mutant.module}:{mutant.line} {mutant.operator}")
        print(f"    - {mutant.before}")
        print(f"    + {mutant.after}", flush=True)
    return len(unexplained)


if __name__ == "__main__":
    sys.exit(main())
