"""S05 from a client's side: a stage that raises or hangs."""

from __future__ import annotations

import asyncio
import json

import pytest

from sentinel_core.context import Context
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage, StageConfig
from tests.server.edge_fixture import access_lines
from tests.server.gateway_fixture import chat, chat_server
from tests.server.serving import RUNNERS
from tests.upstream import Upstream

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

CANARY = "canary-51c0"


class Impatient(StageConfig, frozen=True, kw_only=True):
    """A stage's own time is 100 ms."""

    timeout_s: float | None = 0.1


class Raises(Stage):
    """A guard that breaks."""

    name = "raises"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        raise ValueError(CANARY)


class Hangs(Stage):
    """A guard that never answers."""

    name = "hangs"
    guard = True
    Config = Impatient

    @hookimpl
    async def on_request(self, ctx: Context) -> None:
        await asyncio.Event().wait()


class Exhausts(Raises):
    """A guard that asks for more memory than there is."""

    name = "exhausts"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        raise MemoryError(CANARY)


class Counts(Raises):
    """No guard: what it does can be done without."""

    name = "counts"
    guard = False
    on_fault = "open"


@pytest.mark.parametrize("stage", [Raises, Hangs, Exhausts])
@pytest.mark.parametrize("stream", [False, True])
async def test_s05_a_guard_that_fails_closes_and_is_logged_as_failed(
    runner: str, upstream: Upstream, stage: type[Stage], stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with chat_server(upstream, stage, runner=runner) as (served, gateway), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(chat(stream=stream))
            record = await lines.next()
        assert (answer.status, answer.code) == (503, "guard_unavailable")
        assert answer.headers["retry-after"] == "1"
        assert (record.end, record.error) == ("IR", "guard_unavailable")
        assert CANARY not in str(answer) + caplog.text + json.dumps(str(record))
        assert stage.name in caplog.text
        assert gateway.in_flight == 0
    assert upstream.requests == []


async def test_s05_a_stage_that_may_fail_open_is_skipped(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, Counts, runner=runner) as (served, _), served.connect() as wire:
        assert (await wire.ask(chat())).status == 200
