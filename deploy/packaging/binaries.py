"""Compiled modules without the tables that only debuggers read."""

import struct
from typing import Final

ELF64_LITTLE: Final = b"\x7fELF\x02\x01"
PROGRAM_HEADERS: Final = struct.Struct("<Q")
COUNTS: Final = struct.Struct("<HH")
SECTION_COUNTS: Final = struct.Struct("<HHH")
SEGMENT: Final = struct.Struct("<IIQQQQQQ")


def without_symbols(module: bytes) -> bytes:
    """A shared library of Linux, cut behind the last byte that is loaded into memory.

    Loaders go by the segments; the section table and the symbols behind them are a fifth of the
    largest library. Anything else comes back as it was.
    """
    if not module.startswith(ELF64_LITTLE):
        return module
    (table,) = PROGRAM_HEADERS.unpack_from(module, 32)
    size, count = COUNTS.unpack_from(module, 54)
    end = table + size * count
    for number in range(count):
        _, _, offset, _, _, in_file, _, _ = SEGMENT.unpack_from(module, table + number * size)
        end = max(end, offset + in_file)
    header = bytearray(module[:end])
    PROGRAM_HEADERS.pack_into(header, 40, 0)
    SECTION_COUNTS.pack_into(header, 58, 0, 0, 0)
    return bytes(header)
