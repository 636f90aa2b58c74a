"""House rules for words and names: plain English, verbs for functions, one name for one class."""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from tests.test_house_rules import functions, modules

ROOT = Path(__file__).parent.parent

OLD_WORDS = re.compile(r"\b(told|tells|whoever|nobody|anew|lies)\b", re.IGNORECASE)
"""Words of the old dialect; docs/glossary.md has the ones that we use."""

IRREGULAR_PARTICIPLE = re.compile(
    r"begun|borne|bound|broken|built|chosen|done|drawn|driven|fallen|found|given|gone|held|"
    r"hidden|kept|known|left|lost|made|met|said|seen|sent|shown|spent|spoken|stood|struck|"
    r"taken|thrown|told|understood|woken|written"
)
NO_PARTICIPLE = re.compile(r"embed|exceed|feed|need|ping|proceed|ring|seed|speed|string")
"""Verbs and nouns that end like a participle."""

ALLOWED = frozenset({"during", "embedded", "scoring"})
"""A preposition, an adjective for a part of the container, and the name of a record type."""


def is_participle(name: str) -> bool:
    """Whether a function name is a bare participle: `examined`, `_told`, `serving`."""
    word = name.strip("_")
    if NO_PARTICIPLE.fullmatch(word):
        return False
    return bool(re.fullmatch(r"[a-z]{2,}(ed|ing)", word) or IRREGULAR_PARTICIPLE.fullmatch(word))


def comments_and_docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield each line of comments, docstrings and attribute docstrings with its number."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                yield from enumerate(text.split("\n"), node.lineno)


def test_docstrings_and_comments_use_plain_words() -> None:
    """No docstring or comment of the package uses a word of the old dialect."""
    assert not [
        f"{place}:{number}: {line.strip()}"
        for place, _ in modules("src")
        for number, line in comments_and_docstrings((ROOT / place).read_text(encoding="utf-8"))
        if OLD_WORDS.search(line)
    ]


def test_functions_are_named_by_verbs() -> None:
    """No function of the package is called by a bare participle."""
    assert not [
        f"{place}:{function.lineno} {function.name}"
        for place, tree in modules("src")
        for function in functions(tree)
        if is_participle(function.name) and function.name not in ALLOWED
    ]


def test_a_class_name_occurs_once() -> None:
    """No two modules of the package define a class of the same name."""
    count = Counter(
        node.name
        for _, tree in modules("src")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    assert not [name for name, times in count.items() if times > 1]


def is_reexport(statement: ast.stmt) -> bool:
    """Whether a statement may be in an `__init__`: an import, a docstring, `__all__`, a version."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__version__")]):
            return True
        case ast.AnnAssign(target=ast.Name(id="__all__" | "__version__")):
            return True
    return False


def test_an_init_only_reexports() -> None:
    """No `__init__` of the package holds logic."""
    assert not [
        f"{place}:{statement.lineno}"
        for place, tree in modules("src")
        if place.name == "__init__.py"
        for statement in tree.body
        if not is_reexport(statement)
    ]


@pytest.mark.parametrize(
    ("worker", "limit"), [("process_scored_files", 25), ("save_selection", 12)]
)
def test_a_worker_needs_few_modules(worker: str, limit: int) -> None:
    """To understand a worker, a reader opens few modules of the domain and the ports."""
    graph = grimp.build_graph("campaign_workers", cache_dir=None)
    upstream = graph.find_upstream_modules(f"campaign_workers.workers.{worker}")
    assert len([name for name in upstream if name.split(".")[1] in {"domain", "ports"}]) <= limit


@pytest.mark.parametrize("name", ["examined", "_told", "judged", "serving", "sent"])
def test_a_bare_participle_is_recognised(name: str) -> None:
    """The rule about function names can fail."""
    assert is_participle(name)


@pytest.mark.parametrize("name", ["tag_rows", "embed", "scored_key", "is_replaced", "read"])
def test_a_verb_is_no_participle(name: str) -> None:
    """The rule about function names lets verbs and key builders pass."""
    assert not is_participle(name)


def test_an_old_word_is_recognised() -> None:
    """The rule about words sees comments, docstrings and attribute docstrings."""
    source = '"""Nobody."""\nX = 1  # lies\n"""Tells."""\n'
    assert [number for number, line in comments_and_docstrings(source) if OLD_WORDS.search(line)]
    assert len(list(comments_and_docstrings(source))) == 3
