"""Scripts of `node/`, run by Node against the scenes; what they print, and what reached the upstream meanwhile."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from sentinel_core.json_types import JsonObject, JsonValue
from tests.clients.scenes import scene_server

FOLDER = Path(__file__).parent / "node"
NODE = shutil.which("node") or ""
DEADLINE_S = 60

needs_node = pytest.mark.skipif(
    not NODE or not (FOLDER / "node_modules").is_dir(),
    reason="no JavaScript clients here: `npm install --prefix tests/clients/node`, with Node 20 or later",
)


@dataclass(frozen=True)
class Played:
    """One script's run. `calls` counts the upstream's requests by model, `sent` holds the last one's body."""

    results: JsonObject  # each case's value or error
    calls: Counter[str]
    sent: JsonObject  # bodies

    def value(self, case: str) -> JsonValue:
        """What the case gave; it met no error."""
        assert "error" not in self.results[case], self.results[case]["error"]
        return self.results[case].get("value")

    def error(self, case: str) -> JsonValue:
        """Which error the case met."""
        assert "error" in self.results[case], self.results[case]
        return self.results[case]["error"]

    def waits(self, case: str) -> list[float]:
        """For how long the client waited before each further try, in milliseconds."""
        waits: list[float] = self.results[case].get("waits", [])
        return waits


def play(script: str, runner: str) -> Played:
    """Run all cases of a script."""
    return asyncio.run(_play(script, runner))


async def _play(script: str, runner: str) -> Played:
    async with scene_server(runner) as (served, upstream):
        process = await asyncio.create_subprocess_exec(
            NODE, script, served.url, cwd=FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, errors = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert (process.returncode, errors.decode()) == (0, "")
    bodies = [(request.json["model"], request.json) for request in upstream.requests]
    return Played(json.loads(output), Counter(model for model, _ in bodies), dict(bodies))
