"""Z24, Z25: a hundred tenants at once, each with words of its own, and nobody reads a word of somebody else's."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator

from sentinel_core.config import Secret, settings_from
from sentinel_core.context import Call
from sentinel_core.errors import UpstreamError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject
from sentinel_core.registry import Registry
from sentinel_core.reply import Reply
from sentinel_core.testing import FakeProvider, settle
from sentinel_server.app import asgi
from tests.long_form import long_form
from tests.server.gateway_fixture import CHAT, encoded
from tests.server.messages_fixture import MESSAGES
from tests.server.serving import Served, serving
from tests.server.wire import Answer, Wire, request

TENANTS = 100
ROUNDS = int(os.environ.get("SENTINEL_TEST_CANARY_ROUNDS", "6"))
CANARY = re.compile(rb"c\d{3}\.\d{3}")
RESPONSES = "/v1/responses"
PATHS = (CHAT, MESSAGES, RESPONSES)
WORDS = 8


class Parrot(FakeProvider):
    """Says the canary of the prompt, word by word, and gives way to everybody else between two words. Every third
    request fails at first."""

    async def call(self, call: Call) -> Reply:
        """Repeat what was said."""
        self.calls.append(call)
        (canary,) = {found.decode() for found in CANARY.findall(encoded(dict(call.request.body)))}
        await settle(2)
        if call.attempt == 1 and int(canary[-1]) % 3 == 0:
            raise UpstreamError("upstream_unreachable")
        return await FakeProvider([f"{canary} "] * WORDS).call(call)


def gateway() -> tuple[Gateway, Parrot]:
    """Each tenant has a key and a limit that is no other's."""
    registry, parrot = Registry(), Parrot()
    registry.register(parrot.kind())
    numbers = range(TENANTS)
    auth = {
        "keys": {f"k{n}": {"secret": Secret(secret(n), "TEST"), "tenant": f"t{n}"} for n in numbers},
        "tenants": {f"t{n}": {"limits": {"requests_per_minute": 10_000 + n}} for n in numbers},
    }
    stages = {
        "audit": {},
        "auth": auth,
        "rate_limit": {},
        "routing": {},
        "retry": {"base_delay_s": 0.001, "budget": 1.0},
    }
    return Gateway(
        settings_from({"stages": stages, "providers": {"fake": {"models": ["fake"]}}}), registry=registry
    ), parrot


def secret(tenant: int) -> str:
    """A tenant's key."""
    return f"sk-of-tenant-{tenant:05}"


def asked(tenant: int, number: int, *, stream: bool) -> bytes:
    """A request with a canary in it and in its id."""
    canary, path = f"c{tenant:03}.{number:03}", PATHS[(number + tenant) % len(PATHS)]
    fields: JsonObject = {"model": "fake", "stream": stream}
    if path == RESPONSES:
        fields |= {"input": canary}
    else:
        fields |= {"messages": [{"role": "user", "content": canary}], "max_tokens": 99}
    headers = (f"x-api-key: {secret(tenant)}", f"x-request-id: {canary}")
    return request(path, method="POST", headers=headers, body=encoded(fields))


def heard(answer: Answer) -> Iterator[str]:
    """Every canary in the body, and the header that says whose request this was."""
    yield from (found.decode() for found in CANARY.findall(answer.body))
    yield answer.headers["x-request-id"]


async def leave(served: Served, tenant: int, number: int) -> None:
    """Ask for a stream, and leave when it begins."""
    async with served.connect() as wire:
        await wire.send(asked(tenant, number, stream=True))
        head = await wire.head()
        piece = await wire.reader.readuntil(b"\n\n")
        assert {*heard(Answer(head.status, head.headers, piece))} == {f"c{tenant:03}.{number:03}"}


async def tenant(served: Served, wire: Wire, number: int) -> int:
    """One tenant's requests, one after the other: whole answers, streams, and streams that are left."""
    for turn in range(ROUNDS):
        if turn % 3 == 2:
            await leave(served, number, turn)
            continue
        answer = await wire.ask(asked(number, turn, stream=turn % 3 == 1))
        assert answer.status == 200, answer.body
        assert {*heard(answer)} == {f"c{number:03}.{turn:03}"}
        assert len([*heard(answer)]) >= WORDS + 1
        assert answer.headers["x-ratelimit-limit"] == str(10_000 + number)
        assert "set-cookie" not in answer.headers
    return ROUNDS


@long_form
async def test_z24_z25_a_hundred_tenants_at_once_read_their_own_words_and_numbers_only() -> None:
    live, parrot = gateway()
    async with live, serving(asgi(live)) as served, asyncio.TaskGroup() as group:

        async def one(number: int) -> int:
            async with served.connect() as wire:
                return await tenant(served, wire, number)

        done = [group.create_task(one(number)) for number in range(TENANTS)]
    assert sum(task.result() for task in done) == TENANTS * ROUNDS
    assert len(parrot.calls) > TENANTS * ROUNDS
    await settle(20)
    for number in range(TENANTS):
        page = await live.records.query("audit", tenant=f"t{number}", limit=200)
        assert {record.fields["request_id"][:4] for record in page.records} == {f"c{number:03}"}
