"""Gateways as processes under load that is left, broken, repeated and killed, and the books afterwards."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Literal, NamedTuple

import aiohttp

from sentinel_core.json_types import JsonValue
from sentinel_core.records import RecordStore
from sentinel_plugins.usage.row import INTENTS
from tests.integration.meter import Metered, MeteredUpstream
from tests.pace import PATIENCE_S, until
from tests.server.process import Process

ADMIN = "admin-key-for-tests-00001"
PLACES = 6
"""Requests of each key at one time."""
BEING_ANSWERED = 3
"""Calls of which a kill leaves no more than the intent. One alone may have been answered in that very moment."""
REQUEST_S = 5.0
LOST_AFTER_S = 6.0
IN, OUT = 1_000, 10_000
"""Nano-dollars a token."""
PRICES = '[[models]]\nid = "openai/m"\nprovider = "openai"\ninput_usd = 1.0\noutput_usd = 10.0\n'
LIMITS = {"max_concurrency": 2 * PLACES, "total_usd": 1.0}
"""Places of a process that was killed are free only when their leases end: there are as many for another one."""
WINDOW_S = 0.5
"""Rows of requests that are over are written in groups: a kill takes the group that is on its way, which is one of
milliseconds, on a machine that is as busy as one likes."""


class Key(NamedTuple):
    """A caller."""

    tenant: str
    id: str
    text: str


@dataclass
class Asked:
    """One request as its client saw it."""

    id: str
    key: Key
    ended: Literal["whole", "refused", "broken", "left", "gone"] = "gone"
    at: float = 0.0


@dataclass
class Run:
    """What was asked and what the upstreams saw."""

    meter: list[Metered] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    killed_at: float = inf

    @property
    def endings(self) -> set[str]:
        """How its requests have ended so far."""
        return {asked.ended for asked in self.asked}

    async def kill(self, process: Process, after: int) -> None:
        """End the gateway of the load `killed` after so many of its calls, some of which are being answered."""
        await until(lambda: len(self._calls()) >= after and len(self._being_answered()) >= BEING_ANSWERED)
        self.killed_at = asyncio.get_running_loop().time()
        process.kill()

    def _calls(self) -> list[Metered]:
        return [call for call in self.meter if call.request.startswith("killed")]

    def _being_answered(self) -> list[Metered]:
        return [call for call in self._calls() if call.fate == "serve" and not call.sent]

    def may_be_lost(self, asked: Asked) -> bool:
        """Whether the gateway was killed before a request was over, or in the moment when its rows were written."""
        return asked.id.startswith("killed") and (asked.ended == "gone" or asked.at > self.killed_at - WINDOW_S)

    def calls_of(self, request: str) -> list[Metered]:
        """What a request came to."""
        return [row for row in self.meter if row.request == request]


def tables(folder: Path, upstreams: list[MeteredUpstream], stores: str, guarantee: str) -> str:
    """The configuration of one gateway."""
    (folder / "models.toml").write_text(PRICES, "utf-8")
    for name, text in (("admin", ADMIN), ("pepper", "pepper-for-tests-00000001")):
        (folder / name).write_text(text, "utf-8")
    providers = [f'[providers.{up.name}]\nkind = "openai"\nbase_url = "{up.base_url}"\n' for up in upstreams]
    return "\n".join(
        [
            f"[server]\nrequest_timeout_s = {REQUEST_S}\ndrain_timeout_s = 5",
            stores,
            '[catalogue]\nfile = "models.toml"',
            *providers,
            '[[models]]\nname = "m"\ntargets = [{ provider = "a" }, { provider = "b" }]',
            f'[stages.audit]\nguarantee = "{guarantee}"\nlost_after_s = {LOST_AFTER_S}',
            f'[stages.usage]\nguarantee = "{guarantee}"\nlost_after_s = {LOST_AFTER_S}',
            '[stages.auth]\nadmin_key = { file = "admin" }\npepper = { file = "pepper" }',
            '[stages.rate_limit]\nmax_requests = "unlimited"\nmax_output_tokens = 50',
            "[stages.routing]\n[stages.retry]\nbase_delay_s = 0.005",
        ]
    )


@asynccontextmanager
async def client(process: Process) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of one gateway."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{process.port}", timeout=timeout) as session:
        yield session


async def admin(process: Process, method: str, path: str, body: JsonValue = None) -> JsonValue:
    """What an administrator is told."""
    async with (
        client(process) as session,
        session.request(method, path, json=body, headers={"x-api-key": ADMIN}) as response,
    ):
        assert response.status < 300, await response.text()
        return await response.json()


async def make_keys(process: Process, run: Run) -> None:
    """Three keys of two tenants."""
    for tenant in ("acme", "globex"):
        await admin(process, "POST", "/admin/tenants", {"id": tenant})
    for tenant in ("acme", "acme", "globex"):
        made = await admin(process, "POST", "/admin/keys", {"tenant": tenant, "limits": LIMITS})
        run.keys.append(Key(tenant, made["id"], made["key"]))


async def load(process: Process, run: Run, name: str, each: int, seed: int) -> None:
    """Every key asks for something `each` times in each of its places; some clients leave."""

    async def one(key: Key, place: int, session: aiohttp.ClientSession) -> None:
        draw = random.Random(f"{seed} {key.id} {place}")
        for number in range(each):
            asked = Asked(f"{name}-{key.id}-{place}-{number}", key)
            run.asked.append(asked)
            try:
                asked.ended = await ask(session, asked, draw)
                asked.at = asyncio.get_running_loop().time()
            except (aiohttp.ClientError, ConnectionError):
                asked.ended = "gone"

    async with client(process) as session:
        await asyncio.gather(*(one(key, place, session) for key in run.keys for place in range(PLACES)))


async def ask(
    session: aiohttp.ClientSession, asked: Asked, draw: random.Random
) -> Literal["whole", "refused", "broken", "left"]:
    """One request, which its client may leave."""
    stream, leaves = draw.random() < 0.5, draw.random() < 0.2
    body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": asked.id}]}
    headers = {"x-api-key": asked.key.text, "x-request-id": asked.id}
    async with session.post("/v1/chat/completions", json=body, headers=headers) as response:
        if response.status != 200:
            return "refused"
        if leaves and stream:
            await response.content.readany()
            response.close()
            return "left"
        text = await response.text()
        return "whole" if not stream or text.endswith("data: [DONE]\n\n") else "broken"


async def settled(records: RecordStore) -> None:
    """Wait until a gateway has taken up every intent that was written until now."""

    async def taken_up() -> bool:
        return not ((await records.query(INTENTS, tenant=None, limit=1)).records or await unfinished(records))

    await until(taken_up)


async def unfinished(records: RecordStore) -> set[str]:
    """The requests of which the audit has an intent and no end."""
    groups = await records.aggregate("audit", tenant=None, group_by=("request_id", "kind"))
    seen = {(group.values[0], group.values[1]) for group in groups}
    return {request for request, kind in seen if kind == "intent" and (request, "terminal") not in seen}
