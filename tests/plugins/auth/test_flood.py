"""L10: strangers leave nothing behind, and of those who are known only so many are remembered."""

from __future__ import annotations

import asyncio
import secrets

from sentinel_core.keys import Principal
from sentinel_core.testing import FakeClock
from sentinel_plugins.auth.guessing import MAX_ADDRESSES, Guessing
from sentinel_plugins.auth.known import MAX_KNOWN, Cache
from sentinel_plugins.auth.known import Known as Entry
from sentinel_plugins.auth.memory import Memory
from tests.plugins.auth.callers import PEPPER, client, known, secret

STRANGERS = 2_000


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


async def test_l10_of_addresses_that_guess_the_latest_are_remembered() -> None:
    failures = Memory().failures
    guesses = Guessing(3, FakeClock(), failures)
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
