"""The files that a configuration is read from: what they said, and when that was written."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol


class Readable(Protocol):
    """Something with bytes in it, such as a `Path`. Its `str` names it."""

    def read_bytes(self) -> bytes:
        """All of them. Raises `OSError`."""
        ...


class Files:
    """The disk, as one configuration sees it. Shows no contents: some are secrets.

    With `once` a file is read once and says the same whenever it is asked for again, so that many reads make one
    reading. `contents` are what such a reading found; who is given them looks at no disk.
    """

    def __init__(self, contents: Mapping[str, bytes] | None = None, *, once: bool = False) -> None:
        self._told = contents is not None
        self._contents = dict(contents or {})
        self._once = once or self._told
        self._stamps: dict[Path, int | None] = {}

    def __repr__(self) -> str:
        return f"Files({len(self._contents)} read)"

    @property
    def contents(self) -> Mapping[str, bytes]:
        """What was read, by path."""
        return dict(self._contents)

    @property
    def stale(self) -> bool:
        """Whether one of them, read or missed, was written, made or removed since it was looked at."""
        return any(stamp(path) != seen for path, seen in dict(self._stamps).items())

    def read(self, path: Path, limit: int = -1) -> bytes:
        """What a file says, or its first `limit` bytes. Raises `OSError`, and `ValueError` for what is not a path."""
        name = str(path)
        if not self._once or name not in self._contents:
            self._contents[name] = self._fetched(self.note(path), limit)
        return self._contents[name]

    def exists(self, path: Path) -> bool:
        """Whether there is such a file."""
        return str(path) in self._contents if self._told else self.note(path).exists()

    def at(self, path: Path) -> Readable:
        """A file for those who read it whole."""
        return _File(self, path)

    def note(self, path: Path) -> Path:
        """The same path; from now on `stale` looks at it."""
        if not self._told:
            self._stamps[path] = stamp(path)  # before it is read: what is written meanwhile is news
        return path

    def _fetched(self, path: Path, limit: int) -> bytes:
        if self._told:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        with path.open("rb") as file:
            return file.read(limit)


class _File(NamedTuple):
    files: Files
    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def read_bytes(self) -> bytes:
        return self.files.read(self.path)


def stamp(path: Path) -> int | None:
    """When a file was written; None where there is none now: an editor may replace it at any moment."""
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
