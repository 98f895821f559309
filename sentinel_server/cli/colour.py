"""Whether anything is printed in colour: one answer for every command."""

from __future__ import annotations

import os
from typing import TextIO


def unwanted() -> bool:
    """Whether somebody said no: `NO_COLOR` (https://no-color.org), or a terminal that has none."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def shown(stream: TextIO) -> bool:
    """Whether a terminal reads this stream, and shows colours."""
    return stream.isatty() and not unwanted()
