"""Lines of the access log on their way out: all of one turn of the event loop in a single write."""

from __future__ import annotations

import asyncio
import atexit
from typing import TextIO


class LineWriter:
    """Writes lines to a text stream, at the loop's next turn, or at once where no loop runs. Nothing waits longer."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: list[str] = []
        atexit.register(self.flush)

    def write(self, line: str) -> None:
        """Take one line, without its line break."""
        self._lines.append(line)
        if len(self._lines) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self.flush)
        except RuntimeError:
            self.flush()

    def flush(self) -> None:
        """Write what is here."""
        lines, self._lines = self._lines, []
        if lines:
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()
