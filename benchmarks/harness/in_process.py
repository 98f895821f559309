"""Gateways in this process, in front of a provider that answers from memory, and how long one exchange takes."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.harness import payloads, targets
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.gateway import Gateway
from sentinel_core.messages import Answer, Request

PROVIDER = f"""\
[providers.bench_null]

[[models]]
name = "{payloads.MODEL}"
targets = [{{ provider = "bench_null" }}]
"""


def listed(stages: Mapping[str, str]) -> str:
    """The tables of a chain of these stages, in this order, each with the lines of its table."""
    names = ", ".join(f'"{name}"' for name in stages)
    return f"[chain]\nstages = [{names}]\n\n" + "".join(f"[stages.{name}]\n{lines}\n" for name, lines in stages.items())


@asynccontextmanager
async def gateways(
    tables: Mapping[str, str], environ: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None
) -> AsyncIterator[Mapping[str, Gateway]]:
    """One open gateway per variant, beside these files. `{folder}` in a table is where they are, until the end."""
    if str(targets.NOOP_PLUGIN) not in sys.path:
        sys.path.insert(0, str(targets.NOOP_PLUGIN))  # with its folder on the path, the plugin counts as installed
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in (files or {}).items():
            (folder / file).write_text(text)
        async with AsyncExitStack() as stack:
            opened = {}
            for number, (variant, text) in enumerate(tables.items()):
                path = folder / f"{number}.toml"
                path.write_text(text.replace("{folder}", name) + f"\n{PROVIDER}")
                opened[variant] = await stack.enter_async_context(Gateway.load(path, environ=environ or {}))
            yield opened


def request(*, stream: bool) -> Request:
    """The request that every benchmark sends, decoded."""
    return OPENAI_CHAT.decode_request(msgspec.json.decode(payloads.request_body(stream=stream)))


async def exchange(gateway: Gateway, wanted: Request) -> int:
    """One exchange, read to its end; how many events it had."""
    events = 0
    async with gateway.open(gateway.context(wanted)) as reply:
        if not isinstance(reply, Answer):
            async for _ in reply:
                events += 1
    return events


async def median_us(work: Callable[[], Awaitable[object]], batch: int, seconds: float) -> float:
    """Microseconds of one `work()`: the median over batches, with the collector at rest."""
    samples: list[float] = []
    gc.collect()
    gc.disable()
    until = time.perf_counter() + seconds
    while not samples or time.perf_counter() < until:
        started = time.perf_counter()
        for _ in range(batch):
            await work()
        samples.append((time.perf_counter() - started) / batch * 1e6)
    gc.enable()
    return statistics.median(samples)
