"""Which rows of a wave need an offer code, and what the wave looks like with them."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from campaign_workers.domain.codes import is_external
from campaign_workers.domain.csv.rows import Row, write_rows
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.notifications import Registrant

CODE_COLUMN: Final = "code"


def needs_code(row: Row) -> bool:
    """Whether the row has no code of its own yet: none at all, or the placeholder."""
    return not is_external(row.cells.get(CODE_COLUMN, "").strip())


def offer_code_key(wave: str, config: WaveConfig, registrant: Registrant) -> str:
    """The idempotency key of a registrant's code: one code, however often it is asked for.

    Campaign and category belong to it, because a later campaign may use the name of a wave again.
    """
    unit = (
        config.campaign_id,
        config.category_id,
        wave,
        registrant.global_user_id,
        registrant.market_id,
    )
    return str(uuid5(NAMESPACE_URL, f"campaign-workers:offer-code:{json.dumps(unit)}"))


def with_codes(
    columns: Sequence[str], rows: Iterable[Row], codes: Mapping[int, str], left_out: Iterable[int]
) -> Iterator[bytes]:
    """The wave file with `codes` by line, without the lines that are left out."""
    gone = frozenset(left_out)
    all_columns = columns if CODE_COLUMN in columns else (CODE_COLUMN, *columns)
    kept = (row for row in rows if row.line not in gone)
    return write_rows(
        all_columns,
        (
            {**row.cells, CODE_COLUMN: codes[row.line]} if row.line in codes else row.cells
            for row in kept
        ),
    )


def sha256(chunks: Iterable[bytes]) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
