"""Mutants that no test has to kill, each with the reason."""

import re
from typing import Final

import attrs


@attrs.frozen
class Explained:
    """Mutants of a module (`*` for any) whose changed line matches `after`."""

    module: str
    after: str
    reason: str

    def matches(self, module: str, after: str) -> bool:
        """Return whether this is the reason why a mutant may survive."""
        return self.module in {"*", module} and re.search(self.after, after) is not None


EXPLAINED: Final = (
    Explained("*", r"kw_only=False", "Positional arguments would work too; mypy checks callers."),
    Explained("*", r"attrs\.field\(.*init=True", "A private field that no caller passes."),
    Explained("*", r"maintain_order=False", "The order of these rows decides nothing."),
    Explained("mechanisms", r"eq=True|repr=True", "A mechanism holds nothing personal."),
    Explained(
        "mechanisms",
        r"3\*\*32|2\*\* 3[13]",
        "Any factor above the number of fans puts preference before their order.",
    ),
    Explained("selection", r"clip\( -1", "No limit is below 0."),
    Explained("ranks", r"divisor [-+] 0 [/*] _RANK", "The term is 0 for each valid rank."),
    Explained("ranks", r"pl\.lit\( 2\.0\)|SMALLEST_SCORE, 2\.0", "Scores above 1 are clipped."),
    Explained("ranks", r"\(0\.0, 2\.0\)", "Scores above 1 are clipped before the first knot."),
    Explained("ranks", r"left <= _FRACTION", "Both pieces have the same score at a knot."),
    Explained("duplicates", r"(?i)keys_per_pass", "A limit of memory; it changes no outcome."),
    Explained("duplicates", r"strict=False", "Every caller gives as many bits as frames."),
    Explained("duplicates", r"_hashes: .*repr=True", "A hash shows no data of a fan."),
    Explained("duplicates", r"shift\( 0\)", "All keys are compared, which is only slower."),
    Explained("rules", r"range\( 2 <<", "A longer table of tag lists has the same beginning."),
    Explained(
        "scrubbing", r"allowed_patterns or ", "Without suspects or patterns none is allowed."
    ),
)
"""The reasons by module; a survivor that none of them matches is unexplained."""
