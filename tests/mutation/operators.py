"""Which of cosmic-ray's mutations are worth a run.

cosmic-ray replaces each operator by each other one. Most of these fail on the first call and say
nothing of the tests; the pairs below are the ones that a slip of the hand produces.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Any, Final

_BINARY: Final = (
    "Add_Sub", "Sub_Add", "Mul_Div", "Mul_Add", "Div_Mul", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul",
    "BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitAnd", "LShift_RShift", "RShift_LShift",
)  # fmt: skip
_COMPARISON: Final = (
    "Eq_NotEq", "NotEq_Eq", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt",
    "GtE_Lt", "Is_IsNot", "IsNot_Is",
)  # fmt: skip
_UNARY: Final = ("Delete_Not", "Delete_Invert", "Delete_USub", "USub_UAdd")
_OTHERS: Final = (
    "AddNot", "ExceptionReplacer", "NumberReplacer", "RemoveDecorator", "ReplaceAndWithOr",
    "ReplaceOrWithAnd", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue", "ReplaceTrueWithFalse", "ZeroIterationForLoop",
)  # fmt: skip
WANTED: Final = frozenset(
    f"core/{name}"
    for name in (
        *(f"ReplaceBinaryOperator_{pair}" for pair in _BINARY),
        *(f"ReplaceComparisonOperator_{pair}" for pair in _COMPARISON),
        *(f"ReplaceUnaryOperator_{pair}" for pair in _UNARY),
        *_OTHERS,
    )
)

Span = tuple[tuple[int, int], tuple[int, int]]
"""Start and end as (line, column)."""


def is_wanted(operator: str, mutation: Any, root: Path) -> bool:
    """Return whether a mutation is run: a wanted operator in code that computes something.

    Type annotations and the bare star of a signature compute nothing.
    """
    module = root / mutation.module_path
    line, column = place = tuple(mutation.start_pos)
    is_bare_star = source_lines(module)[line - 1].startswith("*,", column)
    return (
        operator in WANTED
        and not is_bare_star
        and not any(start <= place < end for start, end in annotations(module))
    )


@cache
def source_lines(module: Path) -> tuple[str, ...]:
    """Return the lines of a module."""
    return tuple(module.read_text(encoding="utf-8").splitlines())


@cache
def annotations(module: Path) -> tuple[Span, ...]:
    """Return where a module's type annotations are."""
    tree = ast.parse("\n".join(source_lines(module)))
    found: list[ast.expr | None] = []
    for node in ast.walk(tree):
        match node:
            case ast.arg() | ast.AnnAssign():
                found.append(node.annotation)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.append(node.returns)
    return tuple(
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for node in found
        if node is not None
    )
