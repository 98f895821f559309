"""Processes that start, or say why they cannot (reliability S07)."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.long_form import long_form
from tests.server.process import Client, config, running

BROKEN = {
    "unknown key": ("[server]\nprot = 1", "[server] prot: unknown key"),
    "bad value": ('[server]\nworkers = "many"', "[server] workers"),
    "more than a system takes": ("[server]\nbacklog = 2147483648", "[server] backlog: not a valid value"),
    "no such provider": ("[providers.nobody]", "[providers.nobody]"),
    "memory state for several workers": ("[server]\nworkers = 2", "Redis"),
    "memory state for several replicas": ("[server]\nreplicas = 3", "3 replicas would each count limits on their own"),
    "memory records for several workers": ("[server]\nworkers = 2\n[state]\napproximate = true", "kind = 'sqlite'"),
    "no such store": ('[state]\nkind = "reddis"', "redis"),
    "a URL that is none": ('[state]\nkind = "redis"\nurl = { env = "HOME" }', "url is not a URL of Redis"),
    "strangers": ('[server]\nhost = "0.0.0.0"', "allow_anonymous = true"),
    "not our address": ('[server]\nhost = "192.0.2.1"\nallow_anonymous = true', "[server] host"),
}


@pytest.mark.parametrize(("text", "named"), BROKEN.values(), ids=BROKEN)
async def test_s07_a_configuration_that_cannot_be_used_is_named(tmp_path: Path, text: str, named: str) -> None:
    async with running(tmp_path, text, ready=False) as process:
        assert await process.exited() == 2
        assert named in process.output
        assert "Traceback" not in process.output


async def test_s07_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with running(tmp_path, config(), "--port", port, ready=False) as process:
            assert await process.exited() == 2
            assert f"[server] port: cannot listen on 127.0.0.1:{port}" in process.output


async def test_reload_is_for_one_worker_wherever_the_number_stands(tmp_path: Path) -> None:
    async with running(tmp_path, config(workers=2), "--reload", ready=False) as process:
        assert await process.exited() == 2
        assert "--reload is for one worker" in process.output


async def test_s07_no_secret_is_printed(tmp_path: Path) -> None:
    text = '[providers.openai]\napi_key = "sk-canary-0123456789"\nbase_url = 7'
    async with running(tmp_path, text, ready=False) as process:
        assert await process.exited() == 2
        assert "canary" not in process.output


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=long_form)])
async def test_the_banner_says_what_serves_and_how_to_call_it(tmp_path: Path, workers: int) -> None:
    async with running(tmp_path, config(workers=workers)) as process:
        assert f"Sentinel serves on http://127.0.0.1:{process.port}" in process.output
        for word in ("echo (echo)", "memory", f"{workers} worker", "warning:", "curl ", "anonymous"):
            assert word in process.output
        assert "\x1b[" not in process.output
        client = await Client.to(process)
        client.get("/health/ready")
        assert b" 200 " in await client.until(b"\r\n")
        client.close()
