"""Wave files of any size."""

import json
from typing import Final

import polars as pl

from campaign_workers.domain.csv.frames import write_frames
from campaign_workers.domain.waves.files import COLUMNS
from campaign_workers.testing.machines.wave_world import config, registrant

WAVE: Final = "tour_w1"


def wave_file(rows: int) -> bytes:
    """Registrants that can be texted, each with a code of their own."""
    row = pl.int_range(rows, eager=True).alias("row").to_frame()
    number = pl.col("row").cast(pl.String).str.zfill(8)
    different = {
        "code": pl.format("CODE{}", number),
        "email": pl.format("fan{}@mail.example", number),
        "globalUserId": pl.format("g-{}", number),
        "mobileNumber": pl.format("+1212{}", 5_550_000 + pl.col("row") % 10_000),
    }
    same = {name: pl.lit(text) for name, text in registrant().items()}
    cells = {name: pl.lit("") for name in COLUMNS.values()} | same | different
    return b"".join(write_frames(list(cells), [row.select(**cells)]))


def wave_config(rows: int) -> bytes:
    """The config of a wave that has room for everybody."""
    return json.dumps(config(totalLimit=rows)).encode()
