"""L10: strangers leave nothing behind, and of those who are known only so many are remembered."""

from __future__ import annotations

import asyncio
import secrets

from sentinel_core.chain import Tracker
from sentinel_core.counts import Count
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.keys import UNHEARD, Principal
from sentinel_core.testing import FakeClock, FakeProvider, chain_of, context, run
from sentinel_plugins.auth.guessing import MAX_ADDRESSES, Guessing
from sentinel_plugins.auth.known import MAX_KNOWN, Cache
from sentinel_plugins.auth.known import Known as Entry
from sentinel_plugins.auth.memory import Memory
from tests.plugins.auth.callers import ADMIN_KEY, PEPPER, client, known, secret
from tests.plugins.auth.gateway import house, tables
from tests.plugins.recording.written import flushed, rows

STRANGERS = 2_000
SMALL: JsonObject = {"model": "o3", "messages": [{"role": "user", "content": "hi"}]}


def bearer(number: int) -> str:
    """A key of the right shape, or any text, that nobody has."""
    shaped = f"sk-sentinel-{secrets.token_hex(8)}-{secrets.token_urlsafe(32)}"
    return shaped if number % 2 else secrets.token_urlsafe(40)


async def test_l10_a_flood_of_random_keys_from_many_addresses_is_remembered_nowhere() -> None:
    async with known({"pepper": secret(PEPPER)}) as auth:
        callers = auth.auth.callers
        addresses = [f"10.0.{number // 250}.{number % 250}" for number in range(STRANGERS)]
        asked = (client(bearer(number), address=address) for number, address in enumerate(addresses))
        codes = await asyncio.gather(*map(auth.code, asked))
        assert set(codes) == {"invalid_api_key"}
        assert (len(callers.cache), len(callers.flights)) == (0, 0)


async def test_l10_of_an_address_that_is_refused_unheard_there_is_one_record_a_minute() -> None:
    async with known({"pepper": secret(PEPPER), "max_failures_per_minute": 3}) as auth:
        chain = chain_of([auth.auth], FakeProvider(["hi"]), Tracker())

        async def left_out(address: str = "203.0.113.7") -> bool:
            ctx = context(client=client(bearer(0), address=address))
            assert (await run(chain, ctx)).error is not None
            return UNHEARD in ctx

        assert [await left_out() for _ in range(3)] == [False] * 3, "each of them was looked up"
        assert await auth.code(client(bearer(0))) == "rate_limit_exceeded", "which no record tells: it was no exchange"
        assert [await left_out() for _ in range(9)] == [False] + [True] * 8
        assert not await left_out("203.0.113.8")
        await auth.clock.advance(60)
        assert [await left_out() for _ in range(9)] == [False] * 4 + [True] * 5
        assert auth.services.counts.count("guesses_refused", "").value == 1 + 9 + 6


async def test_l10_an_address_that_is_refused_unheard_is_so_without_a_key_too_which_is_no_guess(
    records_table: TomlTable,
) -> None:
    settings = tables(max_failures_per_minute=3)
    settings["stages"]["audit"] = {}
    async with house({**settings, "records": records_table}) as h:

        async def statuses(key: str | None, times: int) -> list[int]:
            return [(await h.ask("/v1/chat/completions", key, "POST", **SMALL)).status for _ in range(times)]

        assert await statuses(None, 5) == [401] * 5
        assert await statuses("sk-guess", 4) == [401] * 3 + [429]
        assert await statuses(None, 5) == [429] * 5
        assert await statuses(ADMIN_KEY, 1) == [200]
        await flushed(h.gateway)
        errors = [row.fields["error"] for row in await rows(h.gateway.records, "audit", 10)]
        assert errors == ["invalid_api_key"] * 8 + ["rate_limit_exceeded", None]


async def test_l10_a_flood_of_wrong_keys_leaves_as_many_records_as_were_looked_up_and_one(
    records_table: TomlTable,
) -> None:
    settings = tables(max_failures_per_minute=3)
    settings["stages"]["audit"] = {}
    async with house({**settings, "records": records_table}) as h:
        for body in ({"model": "o3", "messages": []}, {}):
            for number in range(10):
                answer = await h.ask("/v1/chat/completions", bearer(number), "POST", **body)
                assert answer.status in (401, 429)
        assert (await h.ask("/v1/chat/completions", ADMIN_KEY, "POST", **SMALL)).status == 200
        await flushed(h.gateway)
        errors = [row.fields["error"] for row in await rows(h.gateway.records, "audit", 5)]
        assert errors == ["invalid_api_key"] * 3 + ["rate_limit_exceeded", None]


async def test_l10_of_addresses_that_guess_the_latest_are_remembered() -> None:
    failures = Memory().failures
    guesses = Guessing(3, FakeClock(), failures, Count())
    for number in range(MAX_ADDRESSES + 500):
        guesses.note(f"10.{number // 62_500}.{number // 250 % 250}.{number % 250}")
    assert len(failures) == MAX_ADDRESSES


async def test_l10_of_those_who_are_known_the_latest_are_remembered() -> None:
    cache = Cache(FakeClock(), Memory().valid)
    for number in range(MAX_KNOWN + 500):
        cache.put(number.to_bytes(32), Entry(Principal("t", f"k{number}", "key"), 60.0), cache.epoch)
    assert len(cache) == MAX_KNOWN
    assert cache.get((0).to_bytes(32)) is None
    assert cache.get((MAX_KNOWN + 499).to_bytes(32)) is not None
