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
SLOW = """
import time

print("the gate is being built", flush=True)
while not Path("built").exists():
    time.sleep(0.02)
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


MODEL = '\n[[models]]\nname = "new-model"\ntargets = [{ provider = "echo" }]\n[providers.echo]\n'


async def models(process: Process) -> bytes:
    """What one of the workers lists."""
    client = await Client.to(process)
    client.get("/v1/models")
    return await client.rest()


async def respawned(process: Process) -> None:
    """Kill a worker and wait for its successor."""
    serving = process.output.count(' serves"')
    os.kill(process.workers()[0], signal.SIGKILL)
    await process.until(lambda: process.output.count(' serves"') == serving + 1, "respawned")


def reload(process: Process, folder: Path, text: str) -> None:
    (folder / "sentinel.toml").write_text(text)
    process.signal(signal.SIGHUP)


def gated(workers: int) -> str:
    """With the stage of `gate`."""
    return config(workers=workers) + "\n[stages.acme_gate]\n"


async def hangs(process: Process, folder: Path, workers: int) -> None:
    """Reload with a stage that does not open, in all workers."""
    reload(process, folder, gated(workers) + 'opens_with = "never"\n')
    await process.until(lambda: process.output.count("the gate is shut") == workers, "shut the gate")


@long_form
@pytest.mark.parametrize("workers", [1, 2])
async def test_s06_a_stage_that_cannot_be_opened_refuses_the_reload_and_a_mended_file_is_taken(
    gate: Path, workers: int
) -> None:
    text = gated(workers)
    async with running(gate, text) as process:
        reload(process, gate, text + "fails = true\n")
        await process.wrote("reload refused")
        assert "ConnectionError (" in process.output
        reload(process, gate, text)
        await process.wrote('"reloaded')
        process.signal(signal.SIGTERM)
        assert await process.exited() == 0
        assert process.output.count("draining: ") == workers


@long_form
@pytest.mark.parametrize("workers", [1, 2])
async def test_s06_a_drain_ends_a_reload_that_is_still_opening(gate: Path, workers: int) -> None:
    async with running(gate, gated(workers)) as process:
        await hangs(process, gate, workers)
        process.signal(signal.SIGTERM)
        assert await process.exited() == 0
        assert "reload refused" in process.output


@long_form
@pytest.mark.parametrize("workers", [1, 2])
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
    text = gated(2)
    async with running(gate, text) as process:
        reload(process, gate, text + 'opens_with = "opened"\n')
        await process.until(lambda: process.output.count("the gate is shut") == 2, "shut the gate")
        victim = process.workers()[0]
        os.kill(victim, signal.SIGKILL)
        await process.wrote(f"worker {victim} has ended")
        assert '"reloaded' not in process.output
        await process.until(lambda: process.output.count(' serves"') == 3, "respawned")
        (gate / "opened").touch()
        process.signal(signal.SIGHUP)
        await process.wrote('"reloaded in 2 workers')


@long_form
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
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("key")
async def test_c10_a_file_that_is_away_refuses_the_reload_and_opens_nothing(tmp_path: Path, workers: int) -> None:
    file = tmp_path / "sentinel.toml"
    async with running(tmp_path, config(workers=workers) + KEY, named=False) as process:
        file.rename(tmp_path / "away")
        process.signal(signal.SIGHUP)
        await process.wrote("sentinel.toml: cannot be read: No such file or directory")
        client = await Client.ask(process, model="echo")
        assert b" 401 " in await client.until(b"\r\n")
        (tmp_path / "away").rename(file)
        process.signal(signal.SIGHUP)
        await process.wrote('"reloaded')


@long_form
@pytest.mark.usefixtures("key")
async def test_c10_with_reload_a_file_that_goes_opens_nothing_and_is_taken_when_it_is_back(tmp_path: Path) -> None:
    file = tmp_path / "sentinel.toml"
    async with running(tmp_path, config() + KEY, "--reload", named=False) as process:
        file.unlink()
        await process.wrote("reload refused")
        client = await Client.ask(process, model="echo")
        assert b" 401 " in await client.until(b"\r\n")
        file.write_text(config() + KEY + MODEL)
        await process.wrote('"reloaded')
        file.write_text(config())
        await process.until(lambda: process.output.count('"reloaded') == 2, "reloaded again")
        assert b"new-model" not in await models(process)


@long_form
@pytest.mark.usefixtures("key")
async def test_s06_a_worker_that_is_respawned_has_the_configuration_in_force(tmp_path: Path) -> None:
    text, file = config(host="0.0.0.0", workers=2), tmp_path / "sentinel.toml"
    async with running(tmp_path, text + KEY) as process:
        for written in (text, text + MODEL + "\n[stages.no_such_stage]\n", text + KEY + MODEL):  # not reloaded
            file.write_text(written)
            await respawned(process)
        file.write_text(text + MODEL)
        process.signal(signal.SIGHUP)
        await process.wrote("no stage authenticates callers")
        await respawned(process)
        for _ in range(8):
            client = await Client.ask(process, model="echo")
            assert b" 401 " in await client.until(b"\r\n")


@long_form
async def test_s06_a_worker_that_is_respawned_has_what_was_reloaded_last(tmp_path: Path) -> None:
    text = config(workers=2)
    async with running(tmp_path, text) as process:
        reload(process, tmp_path, text + MODEL)
        await process.wrote('"reloaded in 2 workers')
        (tmp_path / "sentinel.toml").unlink()
        await respawned(process)
        for _ in range(8):
            assert b"new-model" in await models(process)


@long_form
@pytest.mark.parametrize("workers", [1, 2])
async def test_s06_a_reload_that_comes_while_one_hangs_takes_its_place(gate: Path, workers: int) -> None:
    async with running(gate, gated(workers)) as process:
        await hangs(process, gate, workers)
        reload(process, gate, gated(workers) + MODEL)
        await process.wrote('"reloaded')
        assert "a reload is under way" in process.output
        assert "refused" not in process.output
        for _ in range(4 * workers):
            assert b"new-model" in await models(process)


@long_form
@pytest.mark.parametrize("workers", [1, 2])
async def test_s06_a_sighup_that_comes_while_a_gateway_starts_waits(gate: Path, workers: int) -> None:
    (gate / "acme_gate.py").write_text(GATE + SLOW)
    async with running(gate, gated(workers), ready=False) as process:
        await process.wrote("the gate is being built")
        process.signal(signal.SIGHUP)
        (gate / "built").touch()
        await process.wrote('"reloaded')
        assert "Sentinel serves on" in process.output


@long_form
async def test_s06_a_sighup_to_a_worker_is_not_for_it(tmp_path: Path) -> None:
    async with running(tmp_path, config(workers=2)) as process:
        before = process.workers()
        for worker in before:
            os.kill(worker, signal.SIGHUP)
        process.signal(signal.SIGHUP)
        await process.wrote('"reloaded in 2 workers')
        assert process.workers() == before


@long_form
@pytest.mark.parametrize("workers", [1, 2])
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
