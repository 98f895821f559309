"""Where a command's output goes that nobody can take."""

from __future__ import annotations

import errno
import io

CANNOT = "sentinel: cannot print: No space left on device\n"
"""What the command says then."""


class Full(io.StringIO):
    """A file on a disk without room."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")
