"""The header of the write-ahead log, which SQLite itself takes for an empty log if it is damaged.

https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

from __future__ import annotations

import struct
from pathlib import Path

HEADER = struct.Struct(">8I")
_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
_FORMAT = 3_007_000
_FRAME_HEADER = 24
_SMALLEST_PAGE = 512
_TRIES = 3


def damaged(database: Path) -> bool:
    """Whether the log beside this database holds frames that a broken header hides.

    Rows that were committed since the last checkpoint are in there. A log that is too short for a frame hides
    nothing. Another process may be writing the header: it is looked at again.
    """
    return all(_damaged(beside(database)) for _ in range(_TRIES))


def beside(database: Path) -> Path:
    """The log of a database."""
    return database.with_name(f"{database.name}-wal")


def _damaged(log: Path) -> bool:
    try:
        size = log.stat().st_size
        with log.open("rb") as file:
            head = file.read(HEADER.size)
    except FileNotFoundError:
        return False
    return size >= HEADER.size + _FRAME_HEADER + _SMALLEST_PAGE and not _sound(head)


def _sound(head: bytes) -> bool:
    magic, version, *_, first, second = HEADER.unpack(head)
    order = _MAGIC.get(magic)
    return order is not None and version == _FORMAT and _checksum(head[:24], order) == (first, second)


def _checksum(data: bytes, order: str) -> tuple[int, int]:
    """SQLite's own: a Fibonacci sum over pairs of words."""
    first = second = 0
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
