"""Several workers: death, respawn, reload (reliability S03, S06), and floods (S08)."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from sentinel_core.config import ServerSettings
from sentinel_server.supervisor.binding import bind, claimed
from sentinel_server.supervisor.fleet import MAX_FAILURES
from tests.long_form import long_form
from tests.server.process import RUNNERS, Client, Process, config, running
from tests.upstream import Upstream
from tests.upstream.payloads import chat_stream
from tests.upstream.scenarios import Hold, Stream

FEW_FILES = 8
"""Fewer than a supervisor has open."""
FILES = 256
FLOOD = 400
LOOKS = 20


def open_connections(pid: int) -> int:
    """How many sockets a process has open."""
    folder = Path(f"/proc/{pid}/fd")
    return sum(os.readlink(folder / fd.name).startswith("socket:") for fd in folder.iterdir() if fd.is_symlink())


@long_form
async def test_s03_a_killed_worker_is_nobody_elses_death(upstream: Upstream, tmp_path: Path) -> None:
    go_on = asyncio.Event()
    first, *rest = chat_stream("first", "last")[1:]
    upstream.script("m", Stream([first, Hold(go_on), *rest]))
    async with running(tmp_path, config(upstream.base_url, workers=2)) as process:
        before = process.workers()
        clients = [await Client.ask(process, stream=True) for _ in range(20)]
        for client in clients:
            await client.until(b"first")
        os.kill(before[0], signal.SIGKILL)
        await process.until(lambda: len(set(process.workers()) - {before[0]}) == 2, "respawned")
        go_on.set()
        ends = await asyncio.gather(*(client.until(b"data: [DONE]") for client in clients), return_exceptions=True)
        cut = [end for end in ends if isinstance(end, asyncio.IncompleteReadError | ConnectionError)]

        assert before[1] in process.workers()
        assert sum(isinstance(end, bytes) for end in ends) + len(cut) == len(clients)
        assert len(cut) < len(clients)  # those of the other worker are complete
        assert "SIGKILL" in process.output
        process.signal(signal.SIGTERM)
        assert await process.exited() == 0


@long_form
async def test_s03_a_worker_that_cannot_be_started_now_is_started_later(tmp_path: Path) -> None:
    async with running(tmp_path, config(workers=2)) as process:
        steady, victim = process.workers()
        limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (FEW_FILES, limits[1]))
        os.kill(victim, signal.SIGKILL)
        await process.until(lambda: process.output.count("a worker cannot be started") >= MAX_FAILURES, "tried again")
        assert process.workers() == [steady]
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
        await process.until(lambda: process.output.count(' serves"') == 3, "respawned")
        process.signal(signal.SIGTERM)
        assert await process.exited() == 0


@long_form
async def test_workers_import_what_is_installed_wherever_their_supervisor_was_started(tmp_path: Path) -> None:
    """`-P` is how a script is started: nothing of the working folder stands in the way of what is installed."""
    (tmp_path / "secrets.py").write_text("raise RuntimeError('the module of the working folder')")
    async with running(tmp_path, config(workers=2), python=(sys.executable, "-P")) as process:
        assert len(process.workers()) == 2
        assert "RuntimeError" not in process.output


@long_form
async def test_s03_a_supervisor_that_gives_up_does_not_exit_0(tmp_path: Path) -> None:
    async with running(tmp_path, config(workers=2)) as process:
        steady, victim = process.workers()
        for _ in range(MAX_FAILURES):
            os.kill(victim, signal.SIGKILL)
            await buried(process, victim)
            await process.until(lambda: "giving up" in process.output or len(process.workers()) == 2, "respawned")
            victim = next((pid for pid in process.workers() if pid != steady), 0)
        assert await process.exited() == 1
        assert "giving up" in process.output


@long_form
@pytest.mark.parametrize("workers", [1, 2])
async def test_s06_a_broken_file_keeps_the_old_configuration_and_says_why(tmp_path: Path, workers: int) -> None:
    text = config(workers=workers)
    async with running(tmp_path, text) as process:
        file = tmp_path / "sentinel.toml"
        file.write_text(text + '\n[stages.no_such_stage]\nkey = "canary"\n')
        process.signal(signal.SIGHUP)
        await process.wrote("reload refused")
        assert "no_such_stage" in process.output
        assert "canary" not in process.output

        file.write_text(
            text + '\n[[models]]\nname = "new-model"\ntargets = [{ provider = "echo" }]\n[providers.echo]\n'
        )
        process.signal(signal.SIGHUP)
        await process.wrote("reloaded")
        for _ in range(4):
            client = await Client.to(process)
            client.get("/v1/models")
            assert b"new-model" in await client.rest()
            client.close()
        process.signal(signal.SIGTERM)
        assert await process.exited() == 0


@long_form
async def test_s02_a_successor_that_is_ended_as_it_starts_is_no_failure(tmp_path: Path) -> None:
    async with running(tmp_path, config(workers=2)) as process:
        steady, victim = process.workers()
        os.kill(victim, signal.SIGKILL)
        await process.until(lambda: len(set(process.workers()) - {steady, victim}) == 1, "started a successor")
        process.signal(signal.SIGTERM)
        for worker in process.workers():
            os.kill(worker, signal.SIGTERM)
        assert await process.exited() == 0


@long_form
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing can be claimed")
async def test_s07_a_port_that_another_fleet_is_about_to_serve_is_in_use(tmp_path: Path) -> None:
    server = ServerSettings(port=0)
    with bind(server, shared=True) as other, claimed(other, server):
        port = str(other.getsockname()[1])
        async with running(tmp_path, config(workers=2), "--port", port, ready=False) as process:
            assert await process.exited() == 2
            assert f"[server] port: cannot listen on 127.0.0.1:{port}: Address already in use" in process.output


@long_form
async def test_s06_a_reload_leaves_running_streams_alone(upstream: Upstream, tmp_path: Path) -> None:
    go_on = asyncio.Event()
    first, *rest = chat_stream("first", "last")[1:]
    upstream.script("m", Stream([first, Hold(go_on), *rest]))
    async with running(tmp_path, config(upstream.base_url)) as process:
        client = await Client.ask(process, stream=True)
        await client.until(b"first")
        process.signal(signal.SIGHUP)
        await process.wrote("reloaded")
        go_on.set()
        assert await client.until(b"data: [DONE]")
        client.close()


@long_form
@pytest.mark.parametrize("runner", RUNNERS)
async def test_s08_a_flood_is_shed_without_spinning_and_the_process_recovers(tmp_path: Path, runner: str) -> None:
    async with running(tmp_path, config(runner=runner), files=FILES) as process:
        flood = await asyncio.gather(*(Client.to(process) for _ in range(FLOOD)), return_exceptions=True)
        clients = [client for client in flood if isinstance(client, Client)]
        await process.wrote("connection limit reached")
        assert open_connections(process.pid) < FILES
        await rested(process)  # with every place taken

        for client in clients:
            client.close()
        while True:
            client = await Client.ask(process, model="echo")
            try:
                status = await client.until(b"\r\n")
            except (ConnectionError, asyncio.IncompleteReadError):
                continue
            finally:
                client.close()
            if b" 200 " in status:
                break


async def buried(process: Process, pid: int) -> None:
    """Wait until a worker's death was noticed."""
    await process.until(lambda: pid not in process.workers(), "buried the worker")


async def rested(process: Process) -> None:
    """Wait until so many looks in a row found it waiting: one that spins never waits, however busy the machine is."""
    waiting = 0

    def found() -> bool:
        nonlocal waiting
        state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        waiting = waiting + 1 if state == "S" else 0
        return waiting == LOOKS

    await process.until(found, "waited for anything")
