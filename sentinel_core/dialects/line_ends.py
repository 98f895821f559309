"""The bytes that end a line, as numbers.

`LF in data` looks at once; `b"\\n" in data` takes the bytes for a number first, which raises and catches a TypeError in
CPython, and costs ten times as much. There are four such questions for each event of a stream.
"""

from __future__ import annotations

from typing import Final

LF: Final = 0x0A
CR: Final = 0x0D
