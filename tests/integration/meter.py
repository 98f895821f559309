"""An upstream that misbehaves at random and keeps a token meter: the truth that a ledger is held against."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tests.upstream import Pause, Reply, Scenario, Stream, Upstream, chunk, completion, head
from tests.upstream.link import Link, Received
from tests.upstream.payloads import chat_stream, encoded, sse

Fate: TypeAlias = Literal["serve", "refuse", "reset", "break"]
FATES: tuple[Fate, ...] = ("serve", "serve", "serve", "serve", "refuse", "reset", "break")
WORDS = ("one ", "two ", "three ", "four ")
MOST_PAUSE_S = 0.04


@dataclass
class Metered:
    """One call as the upstream saw it. `sent` once its whole answer was written."""

    request: str
    provider: str
    fate: Fate
    prompt: int
    completion: int
    sent: bool = False


class MeteredUpstream(Upstream):
    """One provider. All of a run write on one meter; a prompt is the name of its request."""

    def __init__(self, name: str, meter: list[Metered], seed: int) -> None:
        super().__init__()
        self.name = name
        self._meter = meter
        self._random = random.Random(seed)

    def _choose(self, request: Received) -> Scenario:
        if request.method != "POST":
            return super()._choose(request)
        body = request.json
        draw = self._random
        row = Metered(
            body["messages"][0]["content"],
            self.name,
            draw.choice(FATES),
            draw.randint(5, 50),
            draw.randint(1, 40),
        )
        self._meter.append(row)
        pause = Pause(draw.uniform(0.0, MOST_PAUSE_S))
        return _Noted(row, _streamed(row, pause) if body.get("stream") else _whole(row, pause))


@dataclass(frozen=True)
class _Noted:
    """Plays another scenario, and notes whether its answer was written to the end."""

    row: Metered
    inner: Scenario

    async def play(self, link: Link) -> None:
        await self.inner.play(link)
        self.row.sent = self.row.fate == "serve" and not link.gone.is_set()


def _usage(row: Metered) -> dict[str, int]:
    total = row.prompt + row.completion
    return {"prompt_tokens": row.prompt, "completion_tokens": row.completion, "total_tokens": total}


def _whole(row: Metered, pause: Pause) -> Scenario:
    if row.fate == "refuse":
        return Reply({"error": {"message": "down"}}, 503)
    if (
        row.fate == "reset"
    ):  # after a head: before it, it might be a connection that had gone stale, and is sent again (U05)
        return _Steps((_Send(head(200, [("Content-Length", "100")])), pause, _Break()))
    body = encoded(completion("".join(WORDS), usage=_usage(row)))
    if row.fate == "break":
        start = head(200, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return _Steps((_Send(start + body[:20]), pause, _Break()))
    return _Steps((pause, Reply(body)))


def _streamed(row: Metered, pause: Pause) -> Scenario:
    if row.fate in ("refuse", "reset"):
        return _whole(row, pause)
    events = chat_stream(*WORDS, done=False)
    slow = [part for event in events for part in (event, pause)]
    if row.fate == "break":
        return Stream([*slow[:6], _Break()])
    return Stream([*slow, sse(chunk([], usage=_usage(row))), b"data: [DONE]\n\n"])


@dataclass(frozen=True)
class _Break:
    """RST, if the gateway is still there: one that was killed may not be."""

    async def play(self, link: Link) -> None:
        if not link.gone.is_set():
            link.reset()


@dataclass(frozen=True)
class _Send:
    data: bytes

    async def play(self, link: Link) -> None:
        await link.send(self.data)
        await asyncio.sleep(0)


@dataclass(frozen=True)
class _Steps:
    """One after the other."""

    steps: tuple[Scenario, ...]

    async def play(self, link: Link) -> None:
        for step in self.steps:
            await step.play(link)
