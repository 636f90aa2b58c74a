"""The zips of AWS Lambda, used where there is nothing but them and what the runtime brings."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.domain.wire import to_snake
from deploy.packaging import Manifest, Target, build, manifest
from deploy.packaging.__main__ import UNPACKED_LIMIT, main
from deploy.packaging.binaries import ELF64_LITTLE, without_symbols
from deploy.packaging.contents import BULK, BULK_WORKERS, LEAN, ROOT, requirements
from tests.deploy.lambda_python import LambdaPython, ProbeResult

TEMPLATE: Final = ROOT / "deploy" / "template.yaml"
RUNTIMES: Final = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six"}
NOBODYS: Final = {"cyclopts", "rich", "altair", "starlette", "uvicorn", "hypothesis", "pytest"}


@pytest.fixture(scope="module")
def built() -> Manifest:
    """The zips for this machine."""
    return build()


@pytest.fixture(scope="module")
def unpacked(built: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that unpacks a zip once and returns its folder."""
    folder = tmp_path_factory.mktemp("var")

    def unpack(name: str) -> Path:
        task = folder / name
        if not task.exists():
            (path,) = (each.path for each in built.zips if each.name == name)
            ZipFile(path).extractall(task)
        return task

    return unpack


@pytest.fixture(scope="module")
def lambda_python(tmp_path_factory: pytest.TempPathFactory) -> LambdaPython:
    """Imports and builds workers by a Python that has boto3 alone."""
    return LambdaPython(tmp_path_factory.mktemp("runtime"))


def faults(result: ProbeResult) -> dict[str, str]:
    """What went wrong, by worker."""
    every = [*result["handlers"].items(), *result["workers"].items()]
    return {worker: fault for worker, fault in every if fault}


def name_of(fault: str | None) -> str | None:
    """The module that is missing, if that is the fault."""
    found = re.fullmatch(r"ModuleNotFoundError: No module named '(\w+)'", fault or "")
    return found and found[1]


def of(zip_name: str) -> list[str]:
    """The workers of a zip."""
    return [worker for worker in WORKERS if (worker in BULK_WORKERS) == (zip_name == BULK)]


def test_fifteen_handlers_need_the_zips_and_the_runtime_alone(
    built: Manifest, unpacked: Callable[[str], Path], lambda_python: LambdaPython
) -> None:
    """All handlers are imported, and all workers built, with the zips in load order and boto3."""
    folders = [unpacked(each.name) for each in built.zips]
    result = lambda_python(folders, WORKERS)
    assert len(result["places"]) == 15
    assert not faults(result)
    assert all(Path(place).is_relative_to(folders[0]) for place in result["places"].values())


@pytest.mark.parametrize("name", [LEAN, BULK])
def test_each_function_runs_from_its_own_zip(
    name: str, unpacked: Callable[[str], Path], lambda_python: LambdaPython
) -> None:
    """A function finds all that it needs in the one zip that it has."""
    assert not faults(lambda_python([unpacked(name)], of(name)))


def test_lean_functions_do_without_bulk_libraries(
    unpacked: Callable[[str], Path], lambda_python: LambdaPython
) -> None:
    """Nothing of a lean function pays for columns, and no bulk worker could do without."""
    lean = unpacked(LEAN)
    assert not (lean / "polars").exists()
    result = lambda_python([lean], of(BULK))
    assert not any(result["handlers"].values())
    assert {name_of(fault) for fault in result["workers"].values()} == {"polars"}


def test_libraries_without_symbols_compute(unpacked: Callable[[str], Path]) -> None:
    """A bulk function computes with libraries whose symbols were cut off."""
    statements = (
        "import sys; sys.path.insert(0, sys.argv[1])",
        "import polars as pl",
        "from campaign_workers.domain.lottery import lottery_numbers",
        "ids = pl.Series([f'fan-{n}' for n in range(1000)])",
        "drawn = lottery_numbers(ids, seed='s' * 32, campaign_id='tour')",
        "assert pl.DataFrame({'n': drawn}).sort('n').filter(pl.col('n') < 1).height == 1000",
    )
    subprocess.run(
        [sys.executable, "-I", "-B", "-c", "\n".join(statements), unpacked(BULK)], check=True
    )


def test_the_manifest_says_what_was_built(built: Manifest) -> None:
    """Python, processor, zips in load order and the zip of each worker can be read from JSON."""
    wire = json.loads((built.zips[0].path.parent / "manifest.json").read_text(encoding="utf-8"))
    assert wire["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert wire["architecture"] in {"x86_64", "arm64"}
    assert [Path(path).name for path in wire["zips"]] == ["lean.zip", "bulk.zip"]
    assert set(wire["functions"]) == set(WORKERS)
    assert manifest() == built


def test_lambda_takes_the_zips(built: Manifest) -> None:
    """Unpacked, each is below 250 MB; the figures are those of the files."""
    for each in built.zips:
        with ZipFile(each.path) as opened:
            sizes = [entry.file_size for entry in opened.infolist()]
            names = opened.namelist()
        assert sum(sizes) == each.unpacked == sum(each.packages.values()) < UNPACKED_LIMIT
        assert each.zipped == each.path.stat().st_size
        assert len(names) == len(set(names))


def test_nothing_is_carried_that_no_function_reads(built: Manifest) -> None:
    """No library of the runtime, of the command line or of tests; no stubs, no sources in C."""
    idle = re.compile(r"\.(pyi|c|pyx|pxd|h)$|(^|/)(tests?|SelfTest)/|^bin/|/RECORD$|/cli/")
    for each in built.zips:
        assert not (RUNTIMES | NOBODYS) & set(each.packages)
        with ZipFile(each.path) as opened:
            assert not [name for name in opened.namelist() if idle.search(name)]


def test_every_module_comes_with_bytecode_that_is_never_checked(built: Manifest) -> None:
    """A function compiles nothing when it starts, whatever time its files are given."""
    for each in built.zips:
        with ZipFile(each.path) as opened:
            names = set(opened.namelist())
            tag = sys.implementation.cache_tag
            for name in (name for name in names if name.endswith(".py")):
                folder, _, module = name.rpartition("/")
                place = f"{folder}/__pycache__/{module[:-3]}.{tag}.pyc".removeprefix("/")
                with opened.open(place) as compiled:
                    assert compiled.read(8)[4:] == b"\1\0\0\0", place


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of time or place is in a zip, so that nothing is deployed in vain."""
    one, other = build(tmp_path / "one"), build(tmp_path / "other")
    assert [each.sha256 for each in one.zips] == [each.sha256 for each in other.zips]


def test_only_what_is_stale_is_built(tmp_path: Path) -> None:
    """Zips that are there stay, one that was cut off is written again."""
    built = build(tmp_path)
    lean, bulk = (each.path for each in built.zips)
    lean.touch()
    written = lean.stat().st_mtime_ns
    assert build(tmp_path) == built
    assert lean.stat().st_mtime_ns == written
    bulk.write_bytes(b"half of it")
    assert build(tmp_path) == built


def test_the_template_gives_each_function_its_zip(built: Manifest) -> None:
    """Template and manifest name the same zip for every worker."""

    class Template(yaml.SafeLoader):
        """YAML with the functions of CloudFormation, which do not matter here."""

    Template.add_multi_constructor("!", lambda loader, tag, node: None)
    resources = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Template)["Resources"]
    functions = [
        each["Properties"]
        for each in resources.values()
        if isinstance(each, dict) and each["Type"] == "AWS::Serverless::Function"
    ]
    named = {each["Handler"].split(".")[-2]: Path(each["CodeUri"]).name for each in functions}
    assert named == {to_snake(worker): path.name for worker, path in built.functions.items()}


def test_the_command_says_sizes_and_what_is_wrong(
    built: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sizes are printed; an unknown target is refused in words."""
    assert main([]) == 0
    assert f"{built.zips[1].unpacked / 1e6:.1f}" in capsys.readouterr().out
    assert main(["--parameters"]) == 0
    assert f"Runtime=python{built.python}" in capsys.readouterr().out
    assert main(["--arch", "sparc"]) == main(["--python", "three"]) == 1
    assert "use one of arm64, x86_64" in capsys.readouterr().err


def test_a_target_takes_wheels_that_its_system_can_load() -> None:
    """Python 3.11 runs on the older system of Lambda, later ones on the newer."""
    assert Target(python="3.11", architecture="x86_64").wheels == "x86_64-manylinux2014"
    assert Target(python="3.12", architecture="arm64").wheels == "aarch64-manylinux_2_28"


def test_lean_and_bulk_differ_by_bulk_libraries() -> None:
    """Whatever a lean zip holds, the bulk zip holds too."""
    more = set(requirements(BULK)) - set(requirements(LEAN))
    assert {re.split(r"[<>=]", line)[0] for line in more} == {"polars", "polars-hash", "stream-zip"}
    assert set(requirements(LEAN)) < set(requirements(BULK))


@given(st.binary().filter(lambda content: not content.startswith(ELF64_LITTLE)))
def test_what_is_no_library_stays_as_it_is(content: bytes) -> None:
    """Only shared libraries are cut."""
    assert without_symbols(content) == content
