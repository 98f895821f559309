"""Signed notes outside the record store: how far each chain goes, and how far retention has deleted it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.json_types import JsonValue
from sentinel_plugins.audit.seal import Head, Keys, canonical
from sentinel_plugins.recording.whole import append

log = logging.getLogger("sentinel.audit")

Kind = Literal["head", "cut"]


class Noted(NamedTuple):
    """The latest notes of each writer, and the numbers of lines that cannot be believed; whether there is a file."""

    heads: Mapping[str, Head]
    cuts: Mapping[str, Head]
    bad_lines: tuple[int, ...] = ()
    kept: bool = True


class Checkpoints:
    """A file that is only appended to, opened anew for every line: one that was moved away begins again (D05).

    Any number of workers append to it.
    """

    def __init__(self, path: Path, keys: Keys, executor: Executor) -> None:
        self.keys = keys
        self._path = path
        self._executor = executor

    async def prepare(self) -> None:
        """Make the file if there is none: so `verify` knows that one that is not there was taken. Raises `ConfigError`
        where it cannot be written."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, lambda: os.close(_opened(self._path)))
        except OSError as error:
            problem = ConfigProblem(
                f"cannot be written: {error.strerror}",
                table="stages.audit",
                key="checkpoints",
                found=repr(str(self._path)),
                expected="a file in a folder that exists",
            )
            raise ConfigError([problem]) from error

    async def note(self, kind: Kind, at: float, heads: Mapping[str, Head]) -> bool:
        """Append one line; whether the disk has it. What fails is logged."""
        text = signed(kind, at, heads, self.keys)
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, _append, self._path, text)
        except OSError as error:
            log.error("the checkpoint cannot be written to %s: %s", self._path, error.strerror)
            return False
        return True

    async def noted(self, kind: Kind | None = None) -> Noted:
        """What the file says, as `read` does. Raises `OSError`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, read, self._path, self.keys, kind)


def signed(kind: Kind, at: float, heads: Mapping[str, Head], keys: Keys) -> str:
    """One line of the file."""
    note = {"kind": kind, "at": at, "writers": {writer: list(head) for writer, head in heads.items()}}
    return canonical({**note, "sig": keys.sign(canonical(note))})


def read(path: Path, keys: Keys, kind: Kind | None = None) -> Noted:
    """What the file says, and whether it is there; of one kind only what its lines say, without a look at the others:
    there are many heads, and few cuts. Raises `OSError`."""
    found: dict[str, dict[str, Head]] = {"head": {}, "cut": {}}
    bad = []
    named = f'"kind":"{kind}"' if kind is not None else ""
    try:
        for number, text in enumerate(_lines(path), 1):
            if named not in text:
                continue
            note = _believed(text, keys)
            if note is None:
                bad.append(number)
                continue
            known = found[note["kind"]]
            for writer, (seq, mac) in note["writers"].items():
                known[writer] = max(known.get(writer, Head()), Head(seq, mac))
    except FileNotFoundError:
        return Noted({}, {}, kept=False)
    return Noted(found["head"], found["cut"], tuple(bad))


def _lines(path: Path) -> Iterator[str]:
    """Those that are whole: the last one may be on its way."""
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for text in file:
            if text.endswith("\n"):
                yield text[:-1]


def _believed(text: str, keys: Keys) -> dict[str, Any] | None:  # a note, as `signed` makes it
    try:
        note: JsonValue = json.loads(text)
        if not isinstance(note, dict) or not isinstance(sig := note.pop("sig", None), str):
            return None
        return note if keys.signed(canonical(note), sig) else None
    except (ValueError, RecursionError):
        return None


def _append(path: Path, text: str) -> None:
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # what is taken back must be nobody else's
        size = os.fstat(descriptor).st_size
        line = text.encode("ascii") + b"\n"
        if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a crash has cut it off
            line = b"\n" + line
        append(descriptor, line)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
