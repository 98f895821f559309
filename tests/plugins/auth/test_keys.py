"""Keys: who they belong to, and that nothing else opens."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.config import settings_from
from sentinel_core.context import Client
from sentinel_core.errors import ConfigError, Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, TomlTable, TomlValue
from sentinel_core.limits import Limits
from sentinel_core.permission import Both
from sentinel_core.records import Record
from sentinel_core.testing import settle
from sentinel_core.testing.harness import stage_config
from sentinel_plugins.auth import Auth, AuthConfig
from sentinel_plugins.auth.callers import Unfamiliar
from sentinel_plugins.records.memory import MemoryRecords
from tests.plugins.auth.callers import ADMIN_KEY, PEPPER, STATIC, client, known, secret


class Records(MemoryRecords):
    """Counts look-ups, and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.gets = 0
        self.down = False
        self.waiting: asyncio.Event | None = None

    async def get(self, table: str, tenant: str | None, id: str) -> Record | None:  # noqa: A002 - the Protocol's name
        self.gets += 1
        if self.down:
            raise Refusal("ledger_unavailable")
        found = await super().get(table, tenant, id)
        if self.waiting is not None:
            await self.waiting.wait()
        return found


class Far(MemoryRecords):
    """A store between whose answers others have their turn."""

    async def get(self, table: str, tenant: str | None, id: str) -> Record | None:  # noqa: A002 - the Protocol's name
        found = await super().get(table, tenant, id)
        await asyncio.sleep(0)
        return found


class Overtaken(MemoryRecords):
    """A store on which somebody else has always just changed the row."""

    overtaken = False

    async def put(self, table: str, record: Record, *, expect: Record | None) -> bool:
        return False if self.overtaken else await super().put(table, record, expect=expect)


async def test_s2_36_a_key_is_taken_from_either_header() -> None:
    async with known() as auth:
        for headers in (
            {"x_api_key": STATIC},
            {"authorization": f"Bearer {STATIC}"},
            {"authorization": f"bearer  {STATIC}"},
        ):
            principal = await auth.who(client(**headers))
            assert (principal.tenant, principal.id, principal.kind) == ("default", "bootstrap", "key")
            assert principal.scopes == frozenset()


async def test_s2_38_the_administrators_key_has_the_scope_and_a_header_of_its_own() -> None:
    async with known() as auth:
        for headers in ({"x_admin_key": ADMIN_KEY}, {"x_api_key": ADMIN_KEY}):
            assert (await auth.who(client(**headers))).scopes == {"admin"}


@pytest.mark.parametrize(
    "headers",
    [
        {"x_api_key": STATIC, "authorization": "Bearer something-else"},
        {"x_api_key": STATIC, "authorization": "Basic dXNlcjpwYXNz"},
        {"x_api_key": STATIC, "x_admin_key": ADMIN_KEY},
    ],
)
async def test_h12_credentials_that_disagree_are_refused(headers: Mapping[str, str]) -> None:
    async with known() as auth:
        assert await auth.code(client(**headers)) == "invalid_api_key"


HOSTILE = {
    "h35_sql": "' OR '1'='1",
    "h35_sql_union": "sk-sentinel-0123456789abcdef-' UNION SELECT * FROM auth_keys --" + "x" * 20,
    "h35_ten_megabytes": "k" * 10_000_000,
    "h35_not_ascii": "sk-clé-ключ",
    "h35_control": "sk-\x00\x1b[2J",
    "h35_empty": "",
    "h35_blank": "   ",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_h35_replay_9_a_hostile_key_is_401_and_reaches_no_store(text: str) -> None:
    records = Records()
    async with known(records=records) as auth:
        assert await auth.code(client(text)) == "invalid_api_key"
        assert await auth.code(client(authorization=f"Bearer {text}")) == "invalid_api_key"
        assert records.gets == 0


@given(st.text(max_size=80), st.sampled_from(["x-api-key", "authorization", "x-admin-key"]))
async def test_z02_replay_8_whatever_is_presented_nobody_is_built_empty(text: str, header: str) -> None:
    async with known() as auth:
        asking = Client("203.0.113.7", {header: text})
        known_texts = {STATIC, ADMIN_KEY, f"Bearer {STATIC}", f"Bearer {ADMIN_KEY}"}
        expected = None if text.strip() in known_texts else "invalid_api_key"
        assert await auth.code(asking) == expected


async def test_refusals_do_not_tell_why() -> None:
    async with known() as auth:
        revoked, revoked_text = await auth.create()
        await auth.keys.revoke(revoked.id, None)
        _, expired_text = await auth.create(expires_in_s=5)
        await auth.clock.advance(6)
        unknown = f"sk-sentinel-{'0' * 16}-{secrets.token_urlsafe(32)}"
        seen = set()
        for one in (client(), client("wrong"), client(revoked_text), client(expired_text), client(unknown)):
            with pytest.raises(Refusal) as refusal:
                await auth.who(one)
            seen.add((refusal.value.code, refusal.value.status, refusal.value.message, refusal.value.retry_after_s))
        assert seen == {("invalid_api_key", 401, "The API key is missing or not valid.", None)}


async def test_z09_keys_that_share_all_but_one_character_are_others() -> None:
    async with known() as auth:
        _, text = await auth.create()
        assert (await auth.who(client(text))).kind == "key"
        for shared in (20, 64, len(text) - 1):
            other = text[:shared] + "".join("A" if char != "A" else "B" for char in text[shared:])
            assert other != text
            assert await auth.code(client(other)) == "invalid_api_key"
        assert await auth.code(client(text[:-1])) == "invalid_api_key"


async def test_z19_nothing_that_is_kept_or_remembered_holds_the_text() -> None:
    records = Records()
    async with known(records=records) as auth:
        key, text = await auth.create(name="ci")
        await auth.who(client(text))
        page = await records.query("auth_keys", tenant=None)
        dump = msgspec.json.encode(page).decode() + repr(vars(auth.auth.callers.cache)) + repr(key)
        hidden = text.rpartition("-")[2] if text.count("-") == 3 else text[len("sk-sentinel-") + 17 :]
        assert hidden not in dump
        assert hashlib.sha256(text.encode()).hexdigest() not in dump
        assert key.hint == text[-4:]


async def test_z10_a_revoked_key_ends_within_a_second_wherever_it_was_revoked() -> None:
    async with known() as auth:
        key, text = await auth.create()
        await auth.who(client(text))
        await auth.keys.revoke(key.id, None)  # by another process: nobody tells this one
        await auth.clock.advance(1.0)
        assert await auth.code(client(text)) == "invalid_api_key"


async def test_z10_a_key_that_was_forgotten_while_it_was_looked_up_is_not_remembered() -> None:
    records = Records()
    async with known({"pepper": secret(PEPPER), "cache_ttl_s": 3600}, records) as auth:
        key, text = await auth.create()
        records.waiting = asyncio.Event()
        asking = asyncio.create_task(auth.who(client(text)))
        while not records.gets:
            await asyncio.sleep(0)
        await auth.keys.rows.add(key)
        auth.auth.callers.cache.forget(key.tenant, key.id)
        records.waiting.set()
        await asking
        assert len(auth.auth.callers.cache) == 0


async def test_a_rotated_key_has_another_text_and_the_old_one_ends() -> None:
    async with known() as auth:
        key, old = await auth.create(models=("a*",))
        rotated = await auth.keys.rotate(key.id, None)
        assert rotated is not None
        after, new = rotated
        assert (after.id, after.models, old != new) == (key.id, ("a*",), True)
        assert await auth.code(client(old)) == "invalid_api_key"
        assert (await auth.who(client(new))).id == key.id
        await auth.keys.revoke(key.id, None)
        with pytest.raises(Refusal, match="was revoked"):
            await auth.keys.rotate(key.id, None)


async def test_a_key_expires_even_while_it_is_remembered() -> None:
    async with known({"pepper": secret(PEPPER), "cache_ttl_s": 3600}) as auth:
        _, text = await auth.create(expires_in_s=10)
        await auth.who(client(text))
        await auth.clock.advance(9.9)
        await auth.who(client(text))
        await auth.clock.advance(0.1)
        assert await auth.code(client(text)) == "invalid_api_key"


async def test_r13_a_store_that_does_not_answer_is_503_and_never_401() -> None:
    records = Records()
    async with known(records=records) as auth:
        _, text = await auth.create()
        records.down = True
        assert await auth.code(client(text)) == "state_unavailable"
        with pytest.raises(Refusal, match="record store does not answer"):  # not the one that `[state]` names
            await auth.who(client(text))
        assert await auth.code(client(STATIC)) is None
        records.down = False
        assert await auth.code(client(text)) is None


async def test_many_requests_of_one_key_ask_the_store_together() -> None:
    records = Records()
    async with known(records=records) as auth:
        _, text = await auth.create()
        records.waiting = asyncio.Event()
        asking = [asyncio.create_task(auth.who(client(text))) for _ in range(50)]
        while not records.gets:
            await asyncio.sleep(0)
        asking[0].cancel()
        records.waiting.set()
        results = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert len({result.id for result in results[1:] if not isinstance(result, BaseException)}) == 1
        assert records.gets == 2  # the key, its tenant


async def test_unknown_keys_leave_nothing_behind() -> None:
    async with known({"pepper": secret(PEPPER), "max_failures_per_minute": 100_000}) as auth:
        for number in range(500):
            text = f"sk-sentinel-{number:016x}-{secrets.token_urlsafe(32)}"
            assert await auth.code(client(text)) == "invalid_api_key"
        assert len(auth.auth.callers.cache) == 0


async def test_z22_who_guesses_is_429_before_the_look_up_and_who_is_known_goes_on() -> None:
    records = Records()
    async with known(records=records) as auth:
        _, text = await auth.create()
        await auth.who(client(text))
        for number in range(100):
            await auth.code(client(f"sk-sentinel-{number:016x}-{secrets.token_urlsafe(32)}"))
        asked = records.gets
        for number in range(1000):
            guess = client(f"sk-sentinel-{number:016x}-{secrets.token_urlsafe(32)}")
            assert await auth.code(guess) == "rate_limit_exceeded"
        assert records.gets == asked
        assert await auth.code(client(text)) is None
        assert await auth.code(client(STATIC)) is None
        assert await auth.code(client("nobody-knows-this-key", address="198.51.100.9")) == "invalid_api_key"
        await auth.clock.advance(61)
        assert await auth.code(client("nobody-knows-this-key")) == "invalid_api_key"


def guessed() -> str:
    return f"sk-sentinel-{secrets.token_hex(8)}-{secrets.token_urlsafe(32)}"


async def test_z22_a_burst_of_guesses_is_looked_up_no_more_often_than_one_after_the_other() -> None:
    records = Records()
    async with known({"pepper": secret(PEPPER), "max_failures_per_minute": 10}, records) as auth:
        records.waiting = asyncio.Event()
        burst = [asyncio.create_task(auth.code(client(guessed()))) for _ in range(200)]
        other = asyncio.create_task(auth.code(client(guessed(), address="198.51.100.9")))
        await settle(20)
        assert records.gets == 11
        burst[0].cancel()
        burst[150].cancel()
        records.waiting.set()
        codes = Counter(await asyncio.gather(*burst, other, return_exceptions=True))
        assert codes.pop("invalid_api_key") == 10  # one that left was looked up; the other address' own counts there
        assert codes.pop("rate_limit_exceeded") == 189
        assert [type(left) for left in codes.elements()] == [asyncio.CancelledError] * 2
        assert records.gets == 11
        assert not auth.auth.callers.guessing._turns


async def test_z22_many_new_keys_behind_one_address_are_all_served() -> None:
    records = Records()
    async with known({"pepper": secret(PEPPER), "max_failures_per_minute": 3}, records) as auth:
        texts = [text for _, text in [await auth.create() for _ in range(40)]]
        asked = [auth.code(client(text)) for text in (*texts[:20], guessed(), *texts[20:], guessed())]
        codes = await asyncio.gather(*asked)
        assert Counter(codes) == {None: 40, "invalid_api_key": 2}


async def test_z22_a_key_that_was_valid_lately_goes_on_at_an_address_that_guesses_until_it_is_not() -> None:
    records = Records()
    async with known({"pepper": secret(PEPPER), "max_failures_per_minute": 3}, records) as auth:
        key, text = await auth.create()
        _, unseen = await auth.create()
        assert await auth.code(client(text)) is None
        for _ in range(3):
            assert await auth.code(client("sk-guess")) == "invalid_api_key"
        for _ in range(3):
            await auth.clock.advance(1.5)  # longer than it is believed without another look
            assert await auth.code(client(text)) is None
        assert await auth.code(client(unseen)) == "rate_limit_exceeded"
        auth.auth.callers.cache.forget("default")  # the tenant was changed
        assert await auth.code(client(text)) is None
        await auth.keys.revoke(key.id, None)
        await auth.clock.advance(1.5)
        assert await auth.code(client(text)) == "invalid_api_key"
        looks = records.gets
        assert await auth.code(client(text)) == "rate_limit_exceeded"
        assert records.gets == looks


async def test_z22_an_ipv6_client_owns_its_whole_network() -> None:
    async with known({"api_key": secret(STATIC), "max_failures_per_minute": 3}) as auth:
        codes = [await auth.code(client("no-such-key", address=f"2001:db8:1:2::{number}")) for number in range(5)]
        assert codes == ["invalid_api_key"] * 3 + ["rate_limit_exceeded"] * 2


async def test_s2_39_a_key_may_what_it_and_its_tenant_may() -> None:
    async with known() as auth:
        await auth.tenant("acme", models=("gpt-*",), limits=Limits(requests_per_minute=9), preferences={"region": "eu"})
        _, text = await auth.create("acme", models=("*-mini", "o3"), user="ann", limits=Limits(daily_usd=1))
        principal = await auth.who(client(text))
        assert (principal.tenant, principal.user, principal.preferences) == ("acme", "ann", {"region": "eu"})
        assert principal.models == Both(("gpt-*",), ("*-mini", "o3"))
        assert principal.limits == {"tenant": Limits(requests_per_minute=9), "key": Limits(daily_usd=1)}


async def test_the_keys_of_a_disabled_tenant_are_worth_nothing() -> None:
    async with known() as auth:
        await auth.tenant("acme")
        _, text = await auth.create("acme")
        assert await auth.code(client(text)) is None
        rows = auth.auth.tenants.rows
        assert rows is not None
        await rows.change("acme", "acme", lambda tenant: msgspec.structs.replace(tenant, disabled_at=1.0))
        await auth.clock.advance(1)
        assert await auth.code(client(text)) == "invalid_api_key"


async def test_changes_at_one_time_are_all_kept() -> None:
    async with known(records=Far()) as auth:
        key, _ = await auth.create()

        def scoped(name: str) -> Any:  # a change
            return lambda row: msgspec.structs.replace(row, scopes=(*row.scopes, name))

        await asyncio.gather(*(auth.keys.rows.change(key.id, None, scoped(f"s{n}")) for n in range(30)))
        after = await auth.keys.rows.get(key.id, None)
        assert after is not None
        assert sorted(after.scopes) == sorted(f"s{n}" for n in range(30))


async def test_a_row_that_others_always_change_first_is_no_store_that_is_away() -> None:
    records = Overtaken()
    async with known(records=records) as auth:
        key, _ = await auth.create()
        records.overtaken = True
        with pytest.raises(Refusal) as refusal:
            await auth.keys.revoke(key.id, None)
        assert (refusal.value.code, refusal.value.message) == ("overloaded", "Others change the same now; try again.")


TOO_MUCH: list[JsonObject] = [
    {"models": ["m"] * 101},
    {"limits": {"windows": [{"limit": 1, "period_s": 1}] * 17}},
    {"scopes": ["guard\n"]},
]


@pytest.mark.parametrize("fields", TOO_MUCH)
async def test_a_kept_row_that_is_not_valid_is_named_and_takes_no_other_with_it(
    fields: JsonObject,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with known() as auth:
        good, _ = await auth.create()
        key, text = await auth.create()
        kept = await auth.services.records.get("auth_keys", None, key.id)
        assert kept is not None
        spoilt = Record(kept.id, kept.tenant, kept.at, {**kept.fields, **fields})
        assert await auth.services.records.put("auth_keys", spoilt, expect=kept)
        with pytest.raises(Refusal, match=f"internal_error: The row '{key.id}' of auth_keys is not valid"):
            await auth.who(client(text))
        rows, _ = await auth.keys.rows.page(None, 10, None)
        assert [row.id for row in rows] == [good.id]
        assert f"The row '{key.id}' of auth_keys is not valid" in caplog.text


async def test_c10_without_any_key_everybody_is_anonymous_by_address() -> None:
    async with known({}) as auth:
        for one in (client(), client("sk-any-key-a-client-insists-on"), client(authorization="Basic x")):
            principal = await auth.who(one)
            assert (principal.tenant, principal.id, principal.kind) == ("anonymous", "203.0.113.7", "anonymous")
        assert (await auth.who(Client())).id == "in-process"


async def test_an_administrator_is_known_among_anonymous_callers() -> None:
    async with known({"admin_key": secret(ADMIN_KEY)}) as auth:
        assert (await auth.who(client())).kind == "anonymous"
        assert (await auth.who(client("whatever"))).kind == "anonymous"
        assert (await auth.who(client(x_admin_key=ADMIN_KEY))).scopes == {"admin"}
        assert (await auth.who(client(ADMIN_KEY))).scopes == {"admin"}
        assert await auth.code(client(x_admin_key="guess")) == "invalid_api_key"


async def test_a_static_key_has_what_its_table_says() -> None:
    table = {
        "keys": {"ci": {"secret": secret(STATIC), "tenant": "acme", "models": ["gpt-4o"], "scopes": ["keys"]}},
        "tenants": {"acme": {"models": ["gpt-*"], "limits": {"requests_per_day": 5}}},
    }
    async with known(table) as auth:
        principal = await auth.who(client(STATIC))
        assert (principal.id, principal.tenant) == ("ci", "acme")
        assert principal.models == Both(("gpt-*",), ("gpt-4o",))
        assert principal.limits == {"tenant": Limits(requests_per_day=5)}


async def test_a_known_key_is_recalled_without_waiting() -> None:
    async with known() as auth:
        _, text = await auth.create()
        assert isinstance(auth.auth.callers.recall(client(text)), Unfamiliar)
        await auth.who(client(text))
        assert not isinstance(auth.auth.callers.recall(client(text)), Unfamiliar)


def shared(algorithm: str, size: int) -> TomlTable:
    """A table of tokens that a secret of so many bytes verifies."""
    return {"issuer": "i", "audience": ["a"], "secret": secret("k" * size), "algorithms": [algorithm]}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"api_key": secret("short")}, "api_key: must be at least 16"),
        ({"api_key": secret("with a space in it")}, "no spaces"),
        ({"api_key": secret(STATIC), "admin_key": secret(STATIC)}, "api_key and admin_key are the same"),
        ({"keys": {"admin": {"secret": secret(STATIC)}}}, "keys.admin: this id is taken"),
        ({"tenants": {"acme\n": {}}}, "expected a letter or digit"),
        ({"tenants": {"acme": {"models": ["m"] * 101}}}, "found a list of 101; .* of length <= 100"),
        (
            {"keys": {"ci": {"secret": secret(STATIC), "limits": {"windows": [{"limit": 1, "period_s": 1}] * 17}}}},
            "found a list of 17; .* of length <= 16",
        ),
        ({"tenants": {"anonymous": {}}}, "callers that nobody knows have this name"),
        ({"keys": {"ci": {"secret": secret(STATIC), "tenant": "acme"}}}, "keys.ci.tenant: there is no table"),
        ({"jwt": {"issuer": "i", "audience": ["a"]}}, "give one of jwks_url and secret"),
        (
            {"jwt": {"issuer": "i", "audience": ["a"], "jwks_url": "https://i.test/k", "algorithms": ["HS256"]}},
            "go with secret",
        ),
        (
            {"jwt": {"issuer": "i", "audience": ["a"], "jwks_url": "https://i.test/k", "algorithms": ["none"]}},
            "algorithms",
        ),
        ({"jwt": shared("HS256", 31)}, "secret must have at least 32 bytes for HS256"),
        ({"jwt": shared("HS384", 47)}, "secret must have at least 48 bytes for HS384"),
        ({"jwt": shared("HS512", 63)}, "secret must have at least 64 bytes for HS512"),
        ({"jwt": {**shared("HS256", 48), "algorithms": ["HS256", "HS384", "HS512"]}}, "at least 64 bytes for HS512"),
    ],
)
def test_a_configuration_that_would_be_weak_is_refused_at_start(table: Mapping[str, TomlValue], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as problem:
        stage_config(Auth, table)
    assert STATIC not in str(problem.value)


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_shared_secret_as_long_as_its_hash_is_enough(algorithm: str, size: int) -> None:
    assert isinstance(stage_config(Auth, {"jwt": shared(algorithm, size)}), AuthConfig)


def test_everything_that_is_wrong_with_the_table_is_told_at_once() -> None:
    keys = {
        "a": {"secret": secret("abc"), "tenant": "nobody"},
        "b": {"secret": secret("abc"), "tenant": "noone"},
        "admin": {"secret": secret(STATIC)},
    }
    with pytest.raises(ConfigError) as problem:
        stage_config(Auth, {"keys": keys, "tenants": {"anonymous": {}}})
    told = str(problem.value)
    for place in ("keys.a.secret", "keys.b.secret", "keys.a.tenant", "keys.b.tenant", "keys.admin", "tenants.anony"):
        assert place in told
    assert "keys.a.secret and keys.b.secret are the same" in told
    assert len(problem.value.problems) == 7
    with pytest.raises(ConfigError) as problem:
        stage_config(Auth, {"jwt": {"issuer": "i", "audience": ["a"], "algorithms": ["HS256"]}})
    assert len(problem.value.problems) == 2


LIMITS = {"requests_per_minute": 60}


@pytest.mark.parametrize(
    "table",
    [
        {"keys": {"ci": {"secret": secret(STATIC), "limits": LIMITS}}},
        {"tenants": {"acme": {"limits": LIMITS}}},
        {"jwt": {"issuer": "i", "audience": ["a"], "jwks_url": "https://i.test/k", "limits": LIMITS}},
    ],
    ids=["key", "tenant", "jwt"],
)
def test_limits_that_no_stage_counts_are_a_warning(table: Mapping[str, TomlValue]) -> None:
    def warned(**stages: TomlValue) -> bool:
        return any("[stages.rate_limit]" in one for one in Gateway(settings_from({"stages": stages})).warnings)

    assert warned(auth=table)
    assert not warned(auth=table, rate_limit={})
    assert not warned(auth={})


async def test_a_page_of_keys_goes_on_where_it_ended() -> None:
    async with known() as auth:
        made = [(await auth.create())[0].id for _ in range(5)]
        first, cursor = await auth.keys.rows.page(None, 3, None)
        rest, end = await auth.keys.rows.page(None, 3, cursor)
        assert sorted(key.id for key in (*first, *rest)) == sorted(made)
        assert end is None
