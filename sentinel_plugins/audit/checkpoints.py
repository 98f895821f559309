"""Signed notes outside the record store: how far each chain goes, and how far retention has deleted it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sentinel_plugins.audit.seal import Head, canonical, equal, signature

log = logging.getLogger("sentinel.audit")

Kind = Literal["head", "cut"]


class Noted(NamedTuple):
    """The latest notes of each writer, and the numbers of lines that cannot be believed."""

    heads: Mapping[str, Head]
    cuts: Mapping[str, Head]
    bad_lines: tuple[int, ...] = ()


class Checkpoints:
    """A file that is only appended to, opened anew for every line: one that was moved away begins again (D05)."""

    def __init__(self, path: Path, key: bytes, executor: Executor) -> None:
        self.key = key
        self._path = path
        self._executor = executor

    async def note(self, kind: Kind, at: float, heads: Mapping[str, Head]) -> bool:
        """Append one line; whether the disk has it. What fails is logged."""
        text = signed(kind, at, heads, self.key)
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, _append, self._path, text)
        except OSError as error:
            log.error("the checkpoint cannot be written to %s: %s", self._path, error.strerror)
            return False
        return True


def signed(kind: Kind, at: float, heads: Mapping[str, Head], key: bytes) -> str:
    """One line of the file."""
    note = {"kind": kind, "at": at, "writers": {writer: list(head) for writer, head in heads.items()}}
    return canonical({**note, "sig": signature(canonical(note), key)})


def read(path: Path, key: bytes) -> Noted:
    """What the file says; of a file that is not there, nothing. Raises `OSError`."""
    found: dict[str, dict[str, Head]] = {"head": {}, "cut": {}}
    bad = []
    for number, text in enumerate(_lines(path), 1):
        note = _believed(text, key)
        if note is None:
            bad.append(number)
            continue
        known = found[note["kind"]]
        for writer, (seq, mac) in note["writers"].items():
            known[writer] = max(known.get(writer, Head()), Head(seq, mac))
    return Noted(found["head"], found["cut"], tuple(bad))


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", errors="replace").split("\n")[:-1] if path.exists() else []


def _believed(text: str, key: bytes) -> dict[str, Any] | None:  # a note, as `signed` makes it
    try:
        note: Any = json.loads(text)  # JSON
    except (ValueError, RecursionError):
        return None
    if not isinstance(note, dict) or not isinstance(sig := note.pop("sig", None), str):
        return None
    return note if equal(sig, signature(canonical(note), key)) else None


def _append(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, text.encode("ascii") + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
