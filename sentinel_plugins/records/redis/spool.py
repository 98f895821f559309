"""The files in which rows wait while the server does not answer: one line for each append, with its checksum.

Each process writes files of its own and holds them by a lock; files that nobody holds are those of a process that
ended before it could send them, and anybody's to send.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4
from zlib import crc32

import msgspec

from sentinel_core.records import Record
from sentinel_plugins.recording.row import checked
from sentinel_plugins.recording.whole import append

log = logging.getLogger("sentinel.records")

SUFFIX = ".rows"


class Batch(msgspec.Struct, frozen=True):
    """The rows of one append."""

    table: str
    records: list[Record]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Batch).decode


def line(batch: Batch) -> bytes:
    """As it is in a file."""
    text = _encode(batch)
    return b"%08x %b\n" % (crc32(text), text)


def batches(path: Path) -> Iterator[Batch]:
    """What a file holds. A last line that is not whole was never acknowledged; other damage, and what another version
    wrote that this one cannot read, is logged and passed by."""
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if not text.endswith(b"\n"):
                return
            try:
                yield _read(text[:-1])
            except (ValueError, RecursionError, msgspec.MsgspecError) as error:
                log.error("%s: line %d cannot be sent: %s", path, number, error)


def _read(text: bytes) -> Batch:
    """A line's rows. ValueError, RecursionError or `MsgspecError` where they cannot be sent."""
    sum_, _, body = text.partition(b" ")
    if sum_ != b"%08x" % crc32(body):
        raise ValueError("it is damaged")
    batch = _decode(body)
    for record in batch.records:
        checked(record)
    return batch


@dataclass(frozen=True, slots=True)
class Turn:
    """Begin a new file with the next line; what is complete is this process's to send."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Forget a file: everything in it was sent."""

    path: Path


Work: TypeAlias = bytes | Turn | Sent


class Spool:
    """The medium of the thread that writes the files: each group is on the disk before anybody is told so.

    No file is larger than `max_bytes`, nor are all that this process holds; OSError where they would be.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._writing: Path | None = None
        self._held: dict[Path, int] = {}
        self._left_out: set[Path] = set()

    def commit(self, gather: Callable[[], Sequence[Work]]) -> Sequence[list[Path]]:
        """Append lines; for a `Turn`, the files to send."""
        results: list[list[Path]] = []
        for kind, works in groupby(gather(), type):
            if kind is bytes:
                lines = [work for work in works if isinstance(work, bytes)]
                self._append(b"".join(lines))
                results += [[] for _ in lines]
            else:
                results += [self._turn() if isinstance(work, Turn) else self._forget(work) for work in works]
        return results

    def close(self) -> None:
        """Let go of the files: what is in them is the next process's to send."""
        for handle in self._held.values():
            os.close(handle)
        self._held.clear()

    def _append(self, lines: bytes) -> None:
        size = sum(os.fstat(handle).st_size for handle in self._held.values())
        if size + len(lines) > self._max_bytes:
            raise OSError(f"the spool is full: spool_max_bytes is {self._max_bytes}")
        if self._writing is None:
            self._writing = self._begin()
        append(self._held[self._writing], lines)

    def _begin(self) -> Path:
        """A new file, seen by others only once it is ours."""
        path = self._folder / f"{uuid4().hex}{SUFFIX}"
        draft = path.with_suffix(".new")
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        draft.rename(path)
        self._held[path] = handle
        return path

    def _turn(self) -> list[Path]:
        self._writing = None
        for path in waiting(self._folder):
            if path not in self._held and (handle := self._take(path)) is not None:
                self._held[path] = handle
        return [*self._held]

    def _take(self, path: Path) -> int | None:
        """A lock on a file that nobody holds; None where somebody does, or did and has sent it. One that cannot be
        opened keeps nobody from the others."""
        try:
            return _locked(path)
        except (BlockingIOError, FileNotFoundError):
            return None
        except OSError as error:
            if path not in self._left_out:  # each turn of an outage meets it again
                self._left_out.add(path)
                log.error("%s cannot be opened, its rows wait: %s", path, error.strerror)
            return None

    def _forget(self, work: Work) -> list[Path]:
        assert isinstance(work, Sent)
        try:
            work.path.unlink(missing_ok=True)
        except OSError as error:
            log.error("%s cannot be removed, its rows are sent again: %s", work.path, error.strerror)
        else:
            os.close(self._held.pop(work.path))
        return []


def waiting(folder: Path) -> list[Path]:
    """The files of every process, the oldest first."""
    found: list[tuple[float, Path]] = []
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):  # another process has sent it meanwhile
            found.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(found)]


def _locked(path: Path) -> int:
    """A lock on a file. Raises `OSError`, FileNotFoundError for one that was sent while it was opened."""
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.fstat(handle).st_nlink:
            raise FileNotFoundError(path)
    except OSError:
        os.close(handle)
        raise
    return handle
