"""Z18: whichever key is presented, it takes one way: one digest of the whole, one look-up, one comparison in constant
time. How long that takes is measured by `benchmarks/key_timing.py`."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from typing import Any

import pytest

from sentinel_core.errors import Refusal
from sentinel_plugins.auth.callers import Seen, Unfamiliar
from sentinel_plugins.auth.rows import Rows
from tests.plugins.auth.callers import ADMIN_KEY, STATIC, Known, client, known

Steps = list[tuple[str, ...]]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """What was done, in order: rows that were read, and comparisons with the lengths of both sides."""
    done: Steps = []
    compare, get = hmac.compare_digest, Rows.get

    def compared(first: bytes, second: bytes) -> bool:
        done.append(("compare", str(len(first)), str(len(second))))
        return compare(first, second)

    async def got(self: Rows[Any], id_: str, tenant: str | None) -> Any:  # a row of any kind
        done.append(("get", self._table))
        return await get(self, id_, tenant)

    monkeypatch.setattr(hmac, "compare_digest", compared)
    monkeypatch.setattr(Rows, "get", got)
    return done


async def presented(auth: Known) -> dict[str, str]:
    """A key of each kind that is refused."""
    revoked, revoked_text = await auth.create()
    await auth.keys.revoke(revoked.id, None)
    _, expired = await auth.create(expires_in_s=0.001)
    _, valid = await auth.create()
    await auth.clock.advance(1)
    return {
        "unknown": f"sk-sentinel-{secrets.token_hex(8)}-{secrets.token_urlsafe(32)}",
        "almost": valid[:-1] + ("A" if valid[-1] != "A" else "B"),
        "other secret": valid[: len("sk-sentinel-") + 17] + secrets.token_urlsafe(32),
        "revoked": revoked_text,
        "expired": expired,
    }


async def test_z18_unknown_wrong_revoked_and_expired_keys_take_the_same_steps(steps: Steps) -> None:
    async with known() as auth:
        for kind, text in (await presented(auth)).items():
            steps.clear()
            with pytest.raises(Refusal) as refused:
                await auth.who(client(text))
            assert steps == [("get", "auth_keys"), ("compare", "32", "32")], kind
            assert (refused.value.code, refused.value.message) == (
                "invalid_api_key",
                Refusal("invalid_api_key").message,
            )


async def test_z18_a_valid_key_is_compared_in_the_same_way(steps: Steps) -> None:
    async with known() as auth:
        _, text = await auth.create()
        steps.clear()
        await auth.who(client(text))
        assert steps[:2] == [("get", "auth_keys"), ("compare", "32", "32")]


async def test_z18_keys_of_the_file_are_found_by_their_fingerprint_alone() -> None:
    async with known() as auth:
        callers = auth.auth.callers
        for text in (STATIC, ADMIN_KEY):
            seen = callers.recall(client(text))
            assert isinstance(seen, Seen)
            assert len(seen.fingerprint) == 32
            near = callers.recall(client(text[:-1] + "x"))
            assert isinstance(near, Unfamiliar)
            same = sum(one == other for one, other in zip(near.fingerprint, seen.fingerprint, strict=True))
            assert same < 8  # a guess that is nearly right learns nothing from where the fingerprints part


async def test_z07_look_ups_at_once_of_keys_that_share_all_but_one_character_share_nothing(steps: Steps) -> None:
    async with known() as auth:
        await auth.tenant("acme")
        (_, ours), (_, theirs) = await auth.create("acme"), await auth.create()
        near = ours[:-1] + ("A" if ours[-1] != "A" else "B")
        steps.clear()
        found = await asyncio.gather(
            *(auth.code(client(text)) for text in (near, ours, theirs, near, ours)), return_exceptions=False
        )
        assert found == ["invalid_api_key", None, None, "invalid_api_key", None]
        assert sum(step[0] == "compare" for step in steps) == 3  # those who wait for the same key wait together
        assert [(await auth.who(client(text))).tenant for text in (ours, theirs)] == ["acme", "default"]
