"""A reload that cannot be taken into use, or not yet: whatever it meets, the gateway serves on and can be stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.long_form import long_form
from tests.server.process import Client, Process, config, running
from tests.upstream import Upstream
from tests.upstream.payloads import chat_stream
from tests.upstream.scenarios import Hold, Stream

GATE = """
import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage, StageConfig

class GateConfig(StageConfig, frozen=True, kw_only=True):
    fails: bool = False
    opens_with: str = "sentinel.toml"

class Gate(Stage):
    name = "acme_gate"
    Config = GateConfig

    @classmethod
    @asynccontextmanager
    async def open(cls, config, services):
        if config.fails:
            raise ConnectionError("canary")
        if not Path(config.opens_with).exists():
            print("the gate is shut", flush=True)
        while not Path(config.opens_with).exists():
            await asyncio.sleep(0.02)
        yield cls(config)

@hookimpl
def sentinel_stages():
    return (Gate,)
"""
PUBLIC = config(host="0.0.0.0")
KEY = '\n[stages.auth]\napi_key = { env = "ACME_KEY" }\n'


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A folder in which the plugin `acme_gate` is installed: started there, a gateway finds it."""
    (tmp_path / "acme_gate.py").write_text(GATE)
    info = tmp_path / "acme_gate-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-gate\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sentinel]\nacme_gate = acme_gate\n")
    return tmp_path


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment of a started gateway holds for `KEY`."""
    monkeypatch.setenv("ACME_KEY", "0123456789abcdef0123")


def reload(process: Process, folder: Path, text: str) -> None:
    (folder / "sentinel.toml").write_text(text)
    process.signal(signal.SIGHUP)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=long_form)])
async def test_s06_a_stage_that_cannot_be_opened_refuses_the_reload_and_a_mended_file_is_taken(
    gate: Path, workers: int
) -> None:
    text = config(workers=workers) + "\n[stages.acme_gate]\n"
    async with running(gate, text) as process:
        reload(process, gate, text + "fails = true\n")
        await process.wrote("reload refused")
        assert "ConnectionError (" in process.output
        reload(process, gate, text)
        await process.wrote('"reloaded')
        process.signal(signal.SIGTERM)
        assert await process.exited() == 0
        assert process.output.count("draining: ") == workers


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=long_form)])
async def test_s06_a_drain_ends_a_reload_that_is_still_opening(gate: Path, workers: int) -> None:
    text = config(workers=workers) + "\n[stages.acme_gate]\n"
    async with running(gate, text) as process:
        reload(process, gate, text + 'opens_with = "never"\n')
        await process.until(lambda: process.output.count("the gate is shut") == workers, "shut the gate")
        process.signal(signal.SIGTERM)
        assert await process.exited() == 0
        assert "reload refused" in process.output


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=long_form)])
async def test_s06_a_reload_waits_for_a_gateway_that_is_still_opening(gate: Path, workers: int) -> None:
    text = config(workers=workers) + '\n[stages.acme_gate]\nopens_with = "opened"\n'
    async with running(gate, text, ready=False) as process:
        await process.until(lambda: process.output.count("the gate is shut") == workers, "shut the gate")
        process.signal(signal.SIGHUP)
        (gate / "opened").touch()
        await process.wrote('"reloaded')
        process.signal(signal.SIGTERM)
        assert await process.exited() == 0
        assert "refused" not in process.output


@long_form
async def test_s06_a_worker_that_dies_meanwhile_has_not_agreed(gate: Path) -> None:
    text = config(workers=2) + "\n[stages.acme_gate]\n"
    async with running(gate, text) as process:
        reload(process, gate, text + 'opens_with = "opened"\n')
        await process.until(lambda: process.output.count("the gate is shut") == 2, "shut the gate")
        victim = process.workers()[0]
        os.kill(victim, signal.SIGKILL)
        (gate / "opened").touch()
        await process.wrote(f"worker {victim} has ended")
        assert '"reloaded' not in process.output
        await process.until(lambda: process.output.count(' serves"') == 3, "respawned")
        process.signal(signal.SIGHUP)
        await process.wrote('"reloaded in 2 workers')


@pytest.mark.usefixtures("key")
async def test_c10_a_reload_does_not_open_a_public_address_to_strangers(tmp_path: Path) -> None:
    async with running(tmp_path, PUBLIC + KEY) as process:
        reload(process, tmp_path, PUBLIC)
        await process.wrote("no stage authenticates callers")
        client = await Client.ask(process, model="echo")
        assert b" 401 " in await client.until(b"\r\n")

        reload(process, tmp_path, config(host="127.0.0.1"))  # this process is bound to the address before
        await process.until(lambda: process.output.count("no stage authenticates callers") == 2, "refused again")
        client = await Client.ask(process, model="echo")
        assert b" 401 " in await client.until(b"\r\n")


@long_form
@pytest.mark.usefixtures("key")
async def test_c10_a_worker_that_is_respawned_does_not_either(tmp_path: Path) -> None:
    text = config(host="0.0.0.0", workers=2)
    async with running(tmp_path, text + KEY) as process:
        (tmp_path / "sentinel.toml").write_text(text)
        os.kill(process.workers()[0], signal.SIGKILL)
        await process.wrote("no stage authenticates callers")
        client = await Client.ask(process, model="echo")
        assert b" 401 " in await client.until(b"\r\n")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=long_form)])
async def test_s02_a_reload_does_not_change_how_long_a_drain_may_take(
    upstream: Upstream, tmp_path: Path, workers: int
) -> None:
    upstream.script("m", Stream([*chat_stream("first")[:2], Hold(asyncio.Event())]))
    async with running(tmp_path, config(upstream.base_url, workers=workers, drain_timeout_s=0.5)) as process:
        reload(process, tmp_path, config(upstream.base_url, workers=workers, drain_timeout_s=600))
        await process.wrote('"reloaded')
        if workers > 1:
            victim = process.workers()[0]
            os.kill(victim, signal.SIGKILL)
            await process.until(lambda: process.output.count(' serves"') == workers + 1, "respawned")
        assert "[server] has changed: that takes effect at the next start" in process.output
        clients = [await Client.ask(process, stream=True) for _ in range(8)]
        for client in clients:
            await client.until(b"first")
        process.signal(signal.SIGTERM)
        for client in clients:
            assert b"draining" in await client.rest()
        assert await process.exited() == 0
