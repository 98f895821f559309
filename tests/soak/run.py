"""Mixed load on a real process, for a bounded time: `python -m tests.soak.run SECONDS`.

Answers, streams that are read, streams that are left in the middle, bodies that are not JSON, routes that do not
exist. Afterwards the process must be as it was: alive, as large, with as many open files, and exit with 0.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp

from tests.served import served

CLIENTS = 32
WARM_UP_S = 10.0
SETTLE_S = 5.0
MAX_GROWTH_KIB = 32 * 1024
RUNNERS = ("hypercorn", "uvicorn")
CHAT = "/v1/chat/completions"


def body(random_: random.Random, *, stream: bool) -> str:
    """A chat request of some length."""
    text = "word " * random_.choice((1, 20, 2_000))
    return json.dumps({"model": "echo", "stream": stream, "messages": [{"role": "user", "content": text}]})


async def one_request(http: aiohttp.ClientSession, random_: random.Random) -> str:
    """Do one thing a client might do; the name of what happened."""
    kind = random_.choice(("answer", "stream", "leave", "garbage", "nowhere"))
    path = "/v1/nowhere" if kind == "nowhere" else CHAT
    data = "{" if kind == "garbage" else body(random_, stream=kind in ("stream", "leave"))
    async with http.post(path, data=data, headers={"content-type": "application/json"}) as response:
        if kind == "leave":
            await response.content.readany()
            response.close()
            return f"leave {response.status}"
        received = await response.read()
        if kind == "stream" and not received.endswith(b"data: [DONE]\n\n"):
            return "stream without its end"
        return f"{kind} {response.status}"


EXPECTED = {"answer 200", "stream 200", "leave 200", "garbage 400", "nowhere 404"}


async def load(base: str, seconds: float, seed: int) -> Counter[str]:
    """`CLIENTS` clients in parallel until the time is over; how often what happened."""
    seen: Counter[str] = Counter()
    end = time.monotonic() + seconds

    async def client(number: int) -> None:
        random_ = random.Random(seed + number)
        async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(total=60)) as http:
            while time.monotonic() < end:
                seen[await one_request(http, random_)] += 1

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return seen


def resources(pid: int) -> tuple[int, int]:
    """Resident memory in KiB and open files of a process."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert match is not None  # every process that runs has one
    return int(match[1]), len(os.listdir(f"/proc/{pid}/fd"))


def worker_of(pid: int) -> int:
    """The process that serves: the supervisor's child, or the process itself where it has none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return int(children[-1]) if children else pid


async def soak(runner: str, seconds: float) -> list[str]:
    """Load one runner; what is wrong with it afterwards. `served` raises if it does not end with 0."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), "--runner", runner) as gateway:
        await load(gateway.address, min(WARM_UP_S, seconds / 4), seed=1)
        await asyncio.sleep(SETTLE_S)
        worker = worker_of(gateway.pid)
        memory_before, files_before = resources(worker)
        seen = await load(gateway.address, seconds, seed=1_000)
        await asyncio.sleep(SETTLE_S)
        memory_after, files_after = resources(worker)
    print(f"{runner}: {dict(seen)}, {memory_before} -> {memory_after} KiB, {files_before} -> {files_after} files")
    problems = [f"{runner}: unexpected: {name}" for name in seen.keys() - EXPECTED]
    if memory_after > memory_before + MAX_GROWTH_KIB:
        problems.append(f"{runner}: grew by {memory_after - memory_before} KiB")
    if files_after > files_before:
        problems.append(f"{runner}: {files_after - files_before} files left open")
    return problems


async def main(seconds: float) -> int:
    """0 if nothing is wrong with either runner."""
    problems = [problem for runner in RUNNERS for problem in await soak(runner, seconds / len(RUNNERS))]
    print("\n".join(problems) or "nothing was lost")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0)))
