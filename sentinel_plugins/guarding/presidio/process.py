"""One process that recognises, as the gateway sees it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import msgspec

from sentinel_core.exit_code import epitaph
from sentinel_core.interpreter import running
from sentinel_plugins.guarding.presidio.wire import (
    LENGTH_BYTES,
    Failed,
    Job,
    Ready,
    Report,
    Span,
    Spans,
    Start,
    framed,
    report_of,
)

COMMAND: Final = running("sentinel_plugins.guarding.presidio.worker")
START_S: Final = 120.0
"""How long loading may take; a cold disk is slow."""
_MAX_FRAME_BYTES: Final = 16 << 20
_PASSED_ON: Final = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "TMPDIR", "TZ")
_OWN: Final = {
    "TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS": "",  # else it asks publicsuffix.org when it is first used
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"), "1"),
}


class WorkerLost(Exception):
    """The process ended instead of answering."""


class RecogniserFailed(Exception):
    """The process could not read a text, or could not start. `key` is the setting that is about, if one is."""

    def __init__(self, reason: str, key: str = "") -> None:
        super().__init__(reason)
        self.key = key


class Process:
    """A process that is ready. It reads one job at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._sink, self._source = process.stdin, process.stdout
        self.ended = asyncio.get_running_loop().create_task(process.wait())

    @classmethod
    async def started(cls, start: Start, command: tuple[str, ...]) -> Process:
        """A new process, once it has loaded everything. Raises `RecogniserFailed` and `WorkerLost`.

        What it prints goes nowhere, since it might quote a text. It knows nothing of the gateway's secrets.
        """
        making = asyncio.ensure_future(_made(command))
        try:
            process = cls(await asyncio.shield(making))
        except asyncio.CancelledError:  # uvloop would leave it behind
            await cls(await making).close()
            raise
        try:
            async with asyncio.timeout(START_S):
                report = await process._say(start)
            if not isinstance(report, Ready):
                raise RecogniserFailed(*_reason(report))
        except BaseException:  # whatever ends the start, nothing of it may be left
            await process.close()
            raise
        return process

    async def ask(self, texts: list[str]) -> list[list[Span]]:
        """What is in each of the texts. Raises `WorkerLost`, and `RecogniserFailed` for texts that cannot be read."""
        report = await self._say(Job(texts))
        if not isinstance(report, Spans):
            raise RecogniserFailed(*_reason(report))
        return report.texts

    async def close(self) -> None:
        """End it at once. Who is cancelled meanwhile still waits until it is buried."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)  # not its `kill`, which may bury it unseen by the loop
        burying = asyncio.ensure_future(self._buried())
        try:
            await asyncio.shield(burying)
        except asyncio.CancelledError:
            await burying
            raise

    async def _buried(self) -> None:
        await self.ended
        self._sink.close()
        await self._source.read()  # to its end, which closes it

    @property
    def epitaph(self) -> str:
        """How it ended, for the log."""
        return epitaph(self._process.returncode or 0)

    async def _say(self, order: Start | Job) -> Report:
        try:
            self._sink.write(framed(order))
            await self._sink.drain()
            length = int.from_bytes(await self._source.readexactly(LENGTH_BYTES), "big")
            return report_of(await self._source.readexactly(length))
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            raise WorkerLost("the process ended, or spoke nonsense") from error


async def _made(command: tuple[str, ...]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(os.environ),
        start_new_session=True,  # Ctrl-C is for the gateway; uvloop knows no process groups
        limit=_MAX_FRAME_BYTES,
    )


def _reason(report: Report) -> tuple[str, str]:
    return (report.reason, report.key) if isinstance(report, Failed) else (f"it said {type(report).__name__}", "")


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    return {**{name: ours[name] for name in _PASSED_ON if name in ours}, **_OWN}
