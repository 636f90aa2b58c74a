"""Duplicates: which rows of a fan, or of a phone, give way to a row that ranks higher.

Rows rank by score, then by the smaller globalUserId, e-mail and phone; of rows equal in all four
the first one stays. Rows come in frames that need not fit into memory together: the first pass
keeps eight bytes a row, a hash that shows which keys can occur twice at all, and the second one
compares the rows with those keys.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import attrs
import polars as pl

from campaign_workers.domain.scrub.rules import DISQUALIFYING_BITS, DUPLICATE_RULES, bits_of

KEYS_PER_PASS: Final = 500_000
"""Repeated keys whose best rows are held in memory at the same time."""

_TIE_BREAKERS: Final = ("global_user_id", "email", "phone")

DEDUP_COLUMNS: Final = ("campaign_id", *_TIE_BREAKERS, "score")
"""The columns of fans that decide which of several rows stays."""

ROW: Final = "__row"
"""Position of a row, counted over all frames."""

_ROW_TYPE: Final = pl.UInt32

Frames = Callable[[], Iterable[pl.DataFrame]]
"""Returns the same frames at each call."""


def resolve_duplicates(
    fans: Frames, tag_bits: Sequence[pl.Series], *, keys_per_pass: int = KEYS_PER_PASS
) -> list[pl.Series]:
    """Return the tag bits of each frame with those of the `Duplicate` rules set.

    Only rows that are clean so far are compared, so a row that is out never displaces another.

    Args:
        fans: frames with the `DEDUP_COLUMNS` at least.
        tag_bits: the tag bits of each frame's rows.
        keys_per_pass: repeated keys that are compared at the same time.
    """
    resolved = list(tag_bits)
    for tag, rule in DUPLICATE_RULES.items():
        rows = _ComparedRows(fans, resolved, DISQUALIFYING_BITS | bits_of(*rule.ignored))
        index = DuplicateIndex(rule.key, keys_per_pass)
        for frame in rows():
            index.add(frame)
        positions = index.find_outranked(rows)
        resolved = list(_set_bit(resolved, positions, bits_of(tag)))
    return resolved


@attrs.frozen
class _ComparedRows:
    """The rows without any of the `unwanted` tag bits."""

    fans: Frames
    tag_bits: Sequence[pl.Series]
    unwanted: int

    def __call__(self) -> Iterator[pl.DataFrame]:
        offset = 0
        for fans, bits in zip(self.fans(), self.tag_bits, strict=True):
            rows = dedup_rows(fans).with_row_index(ROW, offset=offset)
            offset += fans.height
            yield rows.filter((bits & self.unwanted) == 0)


def dedup_rows(fans: pl.DataFrame) -> pl.DataFrame:
    """Return the `DEDUP_COLUMNS` with empty texts in the place of nulls."""
    texts = (pl.col(name).fill_null("") for name in ("campaign_id", *_TIE_BREAKERS))
    return fans.select("score", *texts)


@attrs.define
class DuplicateIndex:
    """Finds the rows that another row of the same campaign and `key` outranks.

    Every row is added once; `find_outranked` then reads all of them again.
    """

    key: str
    keys_per_pass: int = KEYS_PER_PASS
    _hashes: list[pl.Series] = attrs.field(factory=list, init=False, repr=False)

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows; only the hashes of their keys are kept."""
        self._hashes.append(rows.select(self._hash()).to_series())

    def find_outranked(self, rows: Frames) -> pl.Series:
        """Return the positions of the outranked rows, ascending."""
        found = [self._outranked_rows(keys, rows) for keys in self._repeated_keys()]
        return pl.concat([pl.Series(dtype=_ROW_TYPE), *found]).sort()

    def _hash(self) -> pl.Expr:
        return pl.struct("campaign_id", self.key).hash()

    def _repeated_keys(self) -> Iterator[pl.Series]:
        hashes = pl.concat([pl.Series(dtype=pl.UInt64), *self._hashes]).sort()
        self._hashes.clear()
        repeated = hashes.filter(hashes == hashes.shift(1)).unique(maintain_order=True)
        for start in range(0, len(repeated), self.keys_per_pass):
            yield repeated.slice(start, self.keys_per_pass)

    def _outranked_rows(self, keys: pl.Series, rows: Frames) -> pl.Series:
        is_repeated = self._hash().is_in(keys.implode())
        positions: list[pl.Series] = []
        best: list[pl.DataFrame] = []
        for frame in rows():
            repeated = frame.filter(is_repeated)
            positions.append(repeated[ROW])
            best.append(repeated)
            # Reduce only after as many rows as are kept, or many small frames would be slow.
            if sum(map(len, best[1:])) > max(len(best[0]), self.keys_per_pass):
                best = [best_rows(pl.concat(best), self.key)]
        compared = pl.concat(positions)
        winners = best_rows(pl.concat(best), self.key)[ROW]
        return compared.filter(~compared.is_in(winners.implode()))


def best_rows(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return the highest ranking row of each campaign and `key`."""
    order = ("score", *_TIE_BREAKERS, ROW)
    ranked = rows.sort(order, descending=[True, False, False, False, False])
    return ranked.unique(["campaign_id", key], keep="first", maintain_order=True)


def _set_bit(frames: Iterable[pl.Series], positions: pl.Series, bit: int) -> Iterator[pl.Series]:
    """Set a bit of the rows at these ascending positions, counted over all frames."""
    offset = 0
    for bits in frames:
        bounds = pl.Series([offset, offset + len(bits)], dtype=_ROW_TYPE)
        start, end = positions.search_sorted(bounds)
        rows = positions.slice(start, end - start) - offset
        unset = pl.repeat(0, len(bits), dtype=pl.UInt16, eager=True)
        yield bits | unset.scatter(rows, bit) if len(rows) else bits
        offset += len(bits)
