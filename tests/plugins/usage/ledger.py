"""Upstreams with a meter of their own, behind a gateway that writes a ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sentinel_core.config import settings_from
from sentinel_core.context import Call
from sentinel_core.errors import SentinelError, UpstreamError
from sentinel_core.events import UsageReport
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, TomlTable, TomlValue
from sentinel_core.records import Record
from sentinel_core.registry import Registry
from sentinel_core.reply import Reply
from sentinel_core.testing import FakeProvider, completion
from sentinel_core.usage import Usage
from tests.plugins.recording.written import flushed, rows

Fate: TypeAlias = Literal["serve", "refuse", "lose", "break"]
"""What the upstream does with a call: answer it, refuse it, take it and never answer, break off its stream."""

WORDS = ("one ", "two ", "three ", "four ")
PROMPT, COMPLETION = 7, 4


class Metered(FakeProvider):
    """Each call meets the next fate of a list that all upstreams share; `billed` is what calls that ended well used."""

    def __init__(self, fates: list[Fate]) -> None:
        super().__init__()
        self._fates = fates
        self.billed: list[Usage] = []

    async def call(self, call: Call) -> Reply:
        """Meet the next fate."""
        fate = self._fates.pop(0) if self._fates else "serve"
        used = Usage(PROMPT + len(self.calls), COMPLETION, PROMPT + len(self.calls) + COMPLETION)
        if fate in ("refuse", "lose"):
            self.script(UpstreamError("upstream_error" if fate == "refuse" else "upstream_connection_reset"))
        elif call.request.stream:
            broken = UpstreamError("upstream_stream_interrupted")
            self.script((*WORDS[:2], broken) if fate == "break" else (*WORDS, UsageReport(usage=used)))
        else:
            self.script(completion("".join(WORDS), usage=_wire(used)))
        reply = await super().call(call)
        if fate == "serve" or not call.request.stream:
            reply.on_close(lambda ending: self.billed.append(used) if ending == "completed" else None)
        return reply


@dataclass
class Books:
    """What the upstreams say, and what the ledger says."""

    gateway: Gateway
    upstreams: Sequence[Metered]

    async def ask(self, *, stream: bool, leave_after: int | None = None) -> None:
        """One request, which its caller may leave after some events; errors are the ledger's business."""
        body: JsonObject = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        try:
            if not stream:
                await self.gateway.complete(body)
                return
            async with self.gateway.stream(body) as events:
                async for _ in events:
                    if leave_after is not None:
                        leave_after -= 1
                        if leave_after < 0:
                            break
        except SentinelError:
            return

    async def rows(self) -> list[Record]:
        """The ledger, oldest first, once it has a row for every call or more."""
        await flushed(self.gateway)
        return await rows(self.gateway.records, "usage", sum(len(upstream.calls) for upstream in self.upstreams))


@asynccontextmanager
async def books(
    fates: Sequence[Fate] = (), *, records: TomlTable | None = None, **stages: TomlValue
) -> AsyncIterator[Books]:
    """Two upstreams for one model, with retry and fallback between, and a record store."""
    shared = list(fates)
    upstreams = [Metered(shared), Metered(shared)]
    registry = Registry()
    for name, upstream in zip(("fake", "other"), upstreams, strict=True):
        kind = upstream.kind()
        kind.name = name
        registry.register(kind)
    targets = [{"provider": name, "model": "fake"} for name in ("fake", "other")]
    settings = settings_from(
        {
            "providers": {name: {"kind": name, "models": ["fake"]} for name in ("fake", "other")},
            "models": [{"name": "m", "targets": targets}],
            "records": records or {},
            "stages": {"usage": {}, "routing": {}, "retry": {"base_delay_s": 0.001}, **stages},
        }
    )
    async with Gateway(settings, registry=registry) as gateway:
        yield Books(gateway, upstreams)


def _wire(used: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "total_tokens": used.total_tokens,
    }
