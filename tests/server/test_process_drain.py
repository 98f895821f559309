"""Processes that are told to stop (reliability S01, S02)."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.long_form import long_form
from tests.server.process import RUNNERS, Client, config, running
from tests.upstream import Upstream
from tests.upstream.payloads import chat_stream
from tests.upstream.scenarios import Hold, Stall, Stream

STREAMS = 50


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=long_form)])
async def test_s01_sigterm_completes_every_stream_and_refuses_new_connections(
    upstream: Upstream, tmp_path: Path, runner: str, workers: int
) -> None:
    go_on = asyncio.Event()
    first, *rest = chat_stream("first", "last")[1:]
    upstream.script("m", Stream([first, Hold(go_on), *rest]))
    async with running(tmp_path, config(upstream.base_url, runner=runner, workers=workers)) as process:
        clients = [await Client.ask(process, stream=True) for _ in range(STREAMS)]
        for client in clients:
            await client.until(b"first")

        process.signal(signal.SIGTERM)
        await process.refuses()
        go_on.set()
        ends = [await client.rest() for client in clients]

        assert [end.count(b"data: [DONE]") for end in ends] == [1] * STREAMS
        assert await process.exited() == 0


@long_form
async def test_s01_an_answer_that_begins_during_the_drain_closes_its_connection(
    upstream: Upstream, tmp_path: Path
) -> None:
    go_on = asyncio.Event()
    upstream.script("m", Stream([Hold(go_on), *chat_stream("hello")]))
    async with running(tmp_path, config(upstream.base_url)) as process:
        client = await Client.ask(process, stream=True)
        await upstream.received()
        process.signal(signal.SIGTERM)
        await process.refuses()
        go_on.set()
        assert b"\r\nconnection: close\r\n" in (await client.rest()).lower()
        assert await process.exited() == 0


@long_form
@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("workers", [1, 2])
async def test_s02_at_the_deadline_a_stream_ends_with_an_error_event(
    upstream: Upstream, tmp_path: Path, runner: str, workers: int
) -> None:
    upstream.script("m", Stream([*chat_stream("first", finish=None, done=False), Stall()]))
    text = config(upstream.base_url, runner=runner, workers=workers, drain_timeout_s=0.1)
    async with running(tmp_path, text) as process:
        client = await Client.ask(process, stream=True)
        await client.until(b"first")
        process.signal(signal.SIGTERM)
        end = await client.rest()

        assert b'"code":"draining"' in end
        assert b"[DONE]" not in end
        assert await process.exited() == 0
        assert "Traceback" not in process.output


@long_form
async def test_a_second_signal_stops_at_once(upstream: Upstream, tmp_path: Path) -> None:
    upstream.script("m", Stall())
    async with running(tmp_path, config(upstream.base_url)) as process:
        client = await Client.ask(process)
        await upstream.received()
        process.signal(signal.SIGINT)
        await process.refuses()
        process.signal(signal.SIGINT)
        assert b'"code":"draining"' in await client.rest()
        assert await process.exited() == 0


@long_form
async def test_ctrl_c_drains_and_exits_0(tmp_path: Path) -> None:
    async with running(tmp_path, config()) as process:
        client = await Client.ask(process, model="echo")
        assert b" 200 " in await client.until(b"\r\n")
        process.signal(signal.SIGINT)
        assert await process.exited() == 0
        assert "Traceback" not in process.output
