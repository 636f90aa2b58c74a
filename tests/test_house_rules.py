"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src" / "campaign_workers"
MODULE_LINES, FUNCTION_LINES, CONFTEST_LINES = 400, 40, 120
ROOMS_OF_NO_SUBJECT = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
PACKAGE_INDEX = re.compile(
    r"(?<!no-emit-)(index[-_]url|find[-_]links)\b"
    r"|\b(registry|files|index)\.[\w-]+\.(org|com|io|net)\b"
    r"|\b[\w-]+(\.[\w-]+)+/(simple|packages|project)/"
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """The files under version control that exist, or all files where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def modules(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """The tracked Python modules under `folders`, parsed."""
    for path in tracked():
        place = path.relative_to(ROOT)
        if path.suffix == ".py" and place.parts[0] in folders:
            yield place, ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function and method of a module."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """The length of a function without its signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def matches(pattern: re.Pattern[str]) -> list[str]:
    """Where `pattern` stands in tracked text, this file aside."""
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__):
            found += [
                f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
                for number, line in enumerate(text.splitlines(), 1)
                if pattern.search(line)
            ]
    return found


def test_a_module_is_read_in_one_sitting() -> None:
    """No module is longer than 400 lines."""
    assert not [
        f"{place}: {lines} lines"
        for place, _ in modules("src", "tests", "benchmarks", "examples")
        if (lines := len((ROOT / place).read_text(encoding="utf-8").splitlines())) > MODULE_LINES
    ]


def test_a_conftest_stays_short() -> None:
    """No conftest grows into a framework."""
    assert not [
        str(place)
        for place, _ in modules("tests")
        if place.name == "conftest.py"
        and len((ROOT / place).read_text(encoding="utf-8").splitlines()) > CONFTEST_LINES
    ]


def test_a_function_does_one_thing() -> None:
    """No function body in the package is longer than 40 lines."""
    assert not [
        f"{place}:{function.lineno} {function.name}: {lines} lines"
        for place, tree in modules("src")
        for function in functions(tree)
        if (lines := body_lines(function)) > FUNCTION_LINES
    ]


def test_every_test_reads_as_a_claim() -> None:
    """Every test, in tests and in the shipped contracts, says in one sentence what it holds."""
    assert not [
        f"{place}:{function.lineno} {function.name}"
        for place, tree in modules("tests", "src")
        for function in functions(tree)
        if function.name.startswith("test_")
        and (place.name.startswith("test_") or "testing" in place.parts)
        and not ast.get_docstring(function)
    ]


def test_every_room_has_a_subject() -> None:
    """No module or package is named for being shared."""
    assert not [
        str(place)
        for place, _ in modules("src", "tests", "benchmarks")
        if ROOMS_OF_NO_SUBJECT & {part.removesuffix(".py").strip("_") for part in place.parts}
    ]


def test_only_settings_reads_the_environment() -> None:
    """`os.environ` and `os.getenv` stand in settings alone."""
    reading = [
        str(place)
        for place, tree in modules("src")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("os", "environ"), ("os", "getenv")}
    ]
    assert set(reading) <= {"src/campaign_workers/settings.py"}


def test_nothing_points_at_one_machine() -> None:
    """No tracked file holds a home folder or another path of one machine."""
    assert not matches(re.compile(r"(?<![\w.])/(work|root|opt|home/\w+|Users/\w+)/"))


def test_no_file_names_a_package_index() -> None:
    """An environment chooses its package index: no option, host or page of one is tracked."""
    assert not matches(PACKAGE_INDEX)


def test_pins_name_no_address() -> None:
    """Lock and requirement files hold names, versions and hashes alone."""
    pins = re.compile(r"(constraints|requirements)[\w-]*\.txt|[\w.-]*lock[\w.-]*|pip\.conf|\.npmrc")
    assert not [
        str(path.relative_to(ROOT))
        for path in tracked()
        if pins.fullmatch(path.name) and "://" in path.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example/simple/",
        "extra_index_url = x",
        "--find-links wheels",
        "https://registry.example.org/left-pad",
        "files.example.org/packages/ab/left_pad.whl",
        "index.example.org/simple/left-pad/",
    ],
)
def test_every_form_of_a_package_index_is_found(line: str) -> None:
    """The pattern finds each form in which a file could name an index."""
    assert PACKAGE_INDEX.search(line)


def test_nothing_is_left_for_later() -> None:
    """No tracked file holds a note of unfinished work."""
    marks = "|".join(["TODO", "FIXME", "XXX", "HACK"])
    assert not matches(re.compile(rf"\b({marks})\b"))


def test_texts_speak_of_the_product() -> None:
    """No tracked file speaks in the voice of one person."""
    voice = r"\bI (am|think|have|was|will|would|did)\b|\bI'(m|ve|ll|d)\b|\b[Mm]y (machine|laptop)\b"
    assert not matches(re.compile(voice))
