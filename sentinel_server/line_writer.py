"""Lines of the access log on their way out: all of one turn of the event loop in as few writes as stay whole."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Iterable, Iterator
from select import PIPE_BUF
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
        for text in _whole(lines):
            self._stream.write(text)
            self._stream.flush()


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """The lines, which are ASCII, in texts that a pipe takes in one piece: workers share theirs, and nothing longer is
    kept together there (write(2), pipe(7)). A line that is longer is a text of its own."""
    text = ""
    for line in lines:
        if text and len(text) + len(line) >= PIPE_BUF:
            yield text
            text = ""
        text += f"{line}\n"
    if text:
        yield text
