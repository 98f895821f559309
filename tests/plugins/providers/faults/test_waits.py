"""U16 and U17 through a whole gateway: waits that an upstream asks for, and storms that must not reach it."""

from __future__ import annotations

import asyncio
import time

import pytest

from sentinel_core.gateway import Gateway
from tests.plugins.providers.faults.behind import RETRYING, SPARE, asked, gateway_at
from tests.plugins.providers.faults.rig import SAID
from tests.server.wire import Answer
from tests.upstream import Hold, Raw, Reply, Upstream
from tests.upstream.apis import Spoken

RECOVERY_S = 0.1
LONG_S = 60


def limited(spoken: Spoken, *fields: tuple[str, str]) -> Reply:
    return Reply(spoken.api.error(429, "slow down"), 429, fields)


@pytest.mark.parametrize(
    ("fields", "seconds", "milliseconds", "retry"),
    [
        pytest.param([("Retry-After", "2")], "2", "2000", "true", id="seconds"),
        pytest.param([("Retry-After", "2.5")], "3", "2500", "true", id="fraction"),
        pytest.param([("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT")], "1", "1", "true", id="date in the past"),
        pytest.param([("retry-after-ms", "200")], "1", "200", "true", id="milliseconds"),
        pytest.param([("Retry-After", "120")], "120", "120000", "true", id="two minutes"),
        pytest.param([("Retry-After", "121")], None, None, "false", id="more"),
        pytest.param([("Retry-After", "99999")], None, None, "false", id="too long"),
        pytest.param([("Retry-After", "-1")], None, None, "true", id="negative"),
        pytest.param([("Retry-After", "soon")], None, None, "true", id="garbage"),
        pytest.param([], None, None, "true", id="absent"),
    ],
)
async def test_u16_a_client_is_told_the_upstreams_wait_and_no_other(
    spoken: Spoken,
    upstream: Upstream,
    fields: list[tuple[str, str]],
    seconds: str | None,
    milliseconds: str | None,
    retry: str,
) -> None:
    upstream.script(None, limited(spoken, *fields))
    async with gateway_at(spoken, upstream.root) as gateway:
        answer = await asked(gateway)
    assert (answer.status, answer.code) == (429, "rate_limit_exceeded")
    told = answer.headers.get("retry-after"), answer.headers.get("retry-after-ms")
    assert (*told, answer.headers["x-should-retry"]) == (seconds, milliseconds, retry)


@pytest.mark.parametrize("wait", ["60", "2.5", "99999", "-1", "soon", ""])
async def test_u16_a_target_is_left_alone_for_as_long_as_it_asked(
    spoken: Spoken, upstream: Upstream, wait: str
) -> None:
    upstream.script(None, limited(spoken, *([("Retry-After", wait)] if wait else [])))
    async with Upstream() as spare:
        spare.script(None, Reply(spoken.api.answer(SPARE)))
        async with gateway_at(spoken, upstream.root, spare.root, retry=RETRYING, breaker={}) as gateway:
            answers = [await asked(gateway) for _ in range(4)]
        assert [answer.headers["x-sentinel-provider"] for answer in answers] == ["spare"] * 4
    assert len(upstream.requests) == (1 if wait in ("60", "2.5", "99999") else 4)


async def test_u16_the_only_target_is_asked_again_after_its_wait(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, limited(spoken, ("retry-after-ms", "50")), Reply(spoken.api.answer(SAID)))
    async with gateway_at(spoken, upstream.root, retry=RETRYING, breaker={}) as gateway:
        began = time.monotonic()
        assert (await asked(gateway)).status == 200
        assert time.monotonic() - began >= 0.05


async def test_u17_a_storm_reaches_the_upstream_a_few_times(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, *(Reply(spoken.api.error(status, "boom"), status) for status in (502, 503, 529, 500)))
    breaker = {"failure_threshold": 5, "recovery_timeout_s": LONG_S, "max_recovery_timeout_s": LONG_S}
    async with gateway_at(spoken, upstream.root, retry=RETRYING, breaker=breaker) as gateway:
        answers = [await asked(gateway) for _ in range(100)]
    assert len(upstream.requests) <= 10
    assert (answers[-1].status, answers[-1].code) == (503, "circuit_open")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= LONG_S
    assert 1 <= int(answers[-1].headers["retry-after-ms"]) <= LONG_S * 1000


async def test_u17_one_probe_ends_a_storm(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, Reply(spoken.api.error(500, "boom"), 500))
    breaker = {"failure_threshold": 5, "recovery_timeout_s": RECOVERY_S, "max_recovery_timeout_s": RECOVERY_S}
    async with gateway_at(spoken, upstream.root, retry=RETRYING, breaker=breaker) as gateway:
        while (await asked(gateway)).code != "circuit_open":
            pass
        await recovers(gateway, spoken, upstream)


async def recovers(gateway: Gateway, spoken: Spoken, upstream: Upstream) -> None:
    """The upstream is well again: one probe finds out while everybody else is still told to wait."""
    gate = asyncio.Event()
    await asyncio.sleep(RECOVERY_S)
    before = len(upstream.requests)
    upstream.script(None, Raw([Hold(gate), Reply(spoken.api.answer(SAID))], keep=True))
    probe = asyncio.create_task(asked(gateway))
    await upstream.received(before + 1)
    meanwhile: list[Answer] = [await asked(gateway) for _ in range(5)]
    assert {answer.code for answer in meanwhile} == {"circuit_open"}
    gate.set()
    assert (await probe).status == 200
    assert len(upstream.requests) == before + 1
    assert (await asked(gateway)).status == 200
