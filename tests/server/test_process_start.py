"""Processes that start, or say why they cannot (reliability S07)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.long_form import long_form
from tests.server.process import Client, config, running


@long_form
async def test_s07_a_process_that_cannot_start_says_why_and_ends(tmp_path: Path) -> None:
    async with running(tmp_path, "[server]\nprot = 1", ready=False) as process:
        assert await process.exited() == 2
        assert "[server] prot: unknown key" in process.output
        assert "Traceback" not in process.output


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
