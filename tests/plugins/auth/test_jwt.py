"""Z23: tokens of an identity provider, verified here."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.config import Secret, settings_from
from sentinel_core.errors import ConfigError, Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from sentinel_core.services import Services
from sentinel_core.testing import fake_services, settle
from sentinel_core.testing.fake_clock import FakeClock
from sentinel_core.testing.harness import stage_config
from sentinel_plugins.auth import Auth, AuthConfig
from sentinel_plugins.auth.jwt.key_set import COOLDOWN_S, KeySet, PublishedKeys
from tests.plugins.auth.callers import PEPPER, Known, client, secret
from tests.plugins.auth.web import Web

ISSUER, AUDIENCE, JWKS = "https://id.test/", "sentinel", "https://id.test/keys"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
SHARED = "shared-secret-for-tests-that-is-long-enough"
NOW = 1_000_000.0


def jwks(**keys: Any) -> bytes:  # private keys by their ids
    found = []
    for kid, key in keys.items():
        algorithm: Any = (  # of two classes that share no typed one
            jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
        )
        found.append({**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"})
    return json.dumps({"keys": [*found, {"kty": "future", "kid": "odd"}]}).encode()


def claims(**changes: JsonValue) -> JsonObject:
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": NOW + 600, **changes}


def token(
    key: Any = RSA,  # as the algorithm needs it
    algorithm: str = "RS256",
    headers: JsonObject | None = None,
    **changes: JsonValue,
) -> str:
    body = {name: value for name, value in claims(**changes).items() if value is not None}
    return jwt.encode(body, key, algorithm=algorithm, headers={"kid": "one", **(headers or {})})


def bearer(text: str) -> Any:  # a Client
    return client(authorization=f"Bearer {text}")


def test_without_the_extra_the_table_is_an_error_before_anything_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel_plugins.auth.stage.find_spec", lambda name: None)
    table = {"issuer": ISSUER, "audience": [AUDIENCE], "jwks_url": JWKS}
    with pytest.raises(ConfigError, match=r"\[stages.auth.jwt\]: .* jwt and cryptography.*pip install '\.\[auth\]' in"):
        Gateway(settings_from({"stages": {"auth": {"jwt": table}}}))
    Gateway(settings_from({"stages": {"auth": {}}}))  # nobody asked for any


@asynccontextmanager
async def issuer(
    web: Web | None = None,
    pepper: Secret | None = None,
    **fields: Any,  # of the table
) -> AsyncIterator[tuple[Known, Web]]:
    web = web or Web()
    web.answers.setdefault("/keys", (200, jwks(one=RSA, two=EC)))
    table: TomlTable = {"issuer": ISSUER, "audience": [AUDIENCE]}
    table |= fields if "secret" in fields else {"jwks_url": JWKS, **fields}
    config = stage_config(Auth, {"jwt": table, "tenants": {"acme": {}}, **({"pepper": pepper} if pepper else {})})
    assert isinstance(config, AuthConfig)
    clock = FakeClock(NOW)
    async with fake_services(clock) as made:
        services = Services(clock=clock, http=web, executor=made.executor, state=made.state, records=made.records)
        async with Auth.open(config, services) as auth:
            yield Known(auth, services, clock), web


async def test_a_token_of_the_issuer_is_its_user() -> None:
    async with issuer() as (auth, web):
        principal = await auth.who(bearer(token()))
        assert (principal.kind, principal.id, principal.user, principal.tenant) == ("user", "ann", "ann", "default")
        assert principal.scopes == frozenset()
        assert (await auth.who(bearer(token(EC, "ES256", {"kid": "two"}, sub="bob")))).id == "bob"
        await auth.who(client(token()))
        assert web.asked == ["GET /keys"]


async def test_claims_say_tenant_and_scopes_where_the_configuration_says_which() -> None:
    async with issuer(tenant_claim="org", scopes_claim="scope", limits={"requests_per_day": 7}) as (auth, _):
        principal = await auth.who(bearer(token(org="acme", scope="admin keys")))
        assert (principal.tenant, principal.scopes) == ("acme", frozenset({"admin", "keys"}))
        assert principal.limits["user"].requests_per_day == 7
        assert (await auth.who(bearer(token(org="acme", scope=["keys"])))).scopes == {"keys"}
        for org in (None, "nobody", 7, "", "acme\ud800"):
            assert await auth.code(bearer(token(org=org))) == "invalid_api_key"


BAD: dict[str, JsonObject] = {
    "z23_other_audience": {"aud": "other"},
    "z23_no_audience": {"aud": None},
    "z23_other_issuer": {"iss": "https://evil.test/"},
    "z23_no_issuer": {"iss": None},
    "z23_expired": {"exp": NOW - 31},
    "z23_no_expiry": {"exp": None},
    "z23_not_yet": {"nbf": NOW + 31},
    "z23_odd_times": {"nbf": "soon"},
    "z23_an_expiry_beyond_any_float": {"exp": 10**400},
    "z23_an_expiry_that_is_no_number": {"exp": float("nan")},
    "z23_an_expiry_that_never_comes": {"exp": float("inf")},
    "z23_a_beginning_before_any_float": {"nbf": -(10**400)},
    "z23_no_user": {"sub": None},
    "z23_empty_user": {"sub": ""},
    "z23_user_that_is_no_text": {"sub": "ann\ud800"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
async def test_z23_a_token_whose_claims_are_not_for_us_is_401(changes: JsonObject) -> None:
    async with issuer() as (auth, _):
        assert await auth.code(bearer(token(**changes))) == "invalid_api_key"


def unsigned(algorithm: str) -> str:
    head = urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "one"}).encode()).rstrip(b"=").decode()
    body = urlsafe_b64encode(json.dumps(claims()).encode()).rstrip(b"=").decode()
    return f"{head}.{body}."


def confused() -> str:
    """HS256 with the issuer's public key as the secret."""
    public = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head = urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "one"}).encode()).rstrip(b"=")
    body = urlsafe_b64encode(json.dumps(claims()).encode()).rstrip(b"=")
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(head + b"." + body, public)
    return b".".join((head, body, urlsafe_b64encode(signature).rstrip(b"="))).decode()


FORGED = {
    "z23_alg_none": unsigned("none"),
    "z23_alg_None": unsigned("None"),
    "z23_unsigned": unsigned("RS256"),
    "z23_hs_rs_confusion": confused(),
    "z23_other_key": token(OTHER),
    "z23_kid_path": token(OTHER, headers={"kid": "../../../../dev/null"}),
    "z23_kid_sql": token(OTHER, headers={"kid": "x' UNION SELECT 'a'"}),
    "z23_jku": token(OTHER, headers={"kid": "mine", "jku": "https://evil.test/keys"}),
    "z23_x5u": token(OTHER, headers={"kid": "mine", "x5u": "https://evil.test/cert"}),
    "z23_jwk_inside": token(
        OTHER, headers={"kid": "mine", "jwk": json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER.public_key()))}
    ),
    "z23_wrong_family": token(EC, "ES256", {"kid": "one"}),
    "z23_algorithm_not_pinned": token(RSA, "RS512"),
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED.keys())
async def test_z23_a_forged_token_is_401_and_leads_nowhere(text: str) -> None:
    async with issuer() as (auth, web):
        assert await auth.code(bearer(text)) == "invalid_api_key"
        assert set(web.asked) <= {"GET /keys"}


@given(st.integers(0, 600), st.integers(0, 255))
async def test_z23_a_token_with_any_byte_changed_is_401(place: int, byte: int) -> None:
    text = GOOD[: place % len(GOOD)] + chr(byte) + GOOD[place % len(GOOD) + 1 :]
    async with issuer() as (auth, _):
        assert await auth.code(bearer(text)) == (None if text == GOOD else "invalid_api_key")


GOOD = token()


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256"])
async def test_a_published_key_that_names_no_algorithm_verifies_those_that_fit_it(algorithm: str) -> None:
    """RFC 7517, section 4.4: `alg` is optional."""
    keys = [{**key, "alg": None} for key in json.loads(jwks(one=RSA, two=EC))["keys"]]
    for key in keys[::2]:
        del key["alg"]
    web = Web()
    web.answers["/keys"] = (200, json.dumps({"keys": keys}).encode())
    async with issuer(web, algorithms=[algorithm, "ES256"]) as (auth, _):
        assert (await auth.who(bearer(token(RSA, algorithm)))).id == "ann"
        assert (await auth.who(bearer(token(EC, "ES256", {"kid": "two"})))).id == "ann"
        assert await auth.code(bearer(token(EC, "ES256"))) == "invalid_api_key", "the key of another family"
        other = "RS384" if algorithm != "RS384" else "RS256"
        assert await auth.code(bearer(token(RSA, other))) == "invalid_api_key", "an algorithm that is not ours"


async def test_a_published_key_that_names_its_algorithm_verifies_no_other() -> None:
    keys = [{**key, "alg": "RS512"} for key in json.loads(jwks(one=RSA))["keys"][:1]]
    web = Web()
    web.answers["/keys"] = (200, json.dumps({"keys": keys}).encode())
    async with issuer(web, algorithms=["RS256", "RS512"]) as (auth, _):
        assert await auth.code(bearer(token(RSA, "RS512"))) is None
        assert await auth.code(bearer(token(RSA, "RS256"))) == "invalid_api_key"


async def test_a_shared_secret_verifies_and_nothing_else_does() -> None:
    async with issuer(secret=secret(SHARED), algorithms=["HS256"]) as (auth, web):
        assert (await auth.who(bearer(token(SHARED, "HS256")))).id == "ann"
        assert await auth.code(bearer(token(SHARED + "!", "HS256"))) == "invalid_api_key"
        assert await auth.code(bearer(token(RSA))) == "invalid_api_key"
        assert web.asked == []


async def test_an_unknown_key_makes_the_keys_be_fetched_once_and_inventing_them_does_not() -> None:
    async with issuer() as (auth, web):
        await auth.who(bearer(token()))
        web.answers["/keys"] = (200, jwks(three=OTHER))
        await auth.clock.advance(COOLDOWN_S)
        assert (await auth.who(bearer(token(OTHER, headers={"kid": "three"})))).id == "ann"
        await auth.clock.advance(1)
        for number in range(20):
            assert await auth.code(bearer(token(OTHER, headers={"kid": f"no{number}"}))) == "state_unavailable"
        assert web.asked == ["GET /keys"] * 2


async def test_r13_a_key_that_the_issuer_began_to_use_a_moment_ago_is_503_until_the_keys_may_be_fetched_again() -> None:
    async with issuer() as (auth, web):
        await auth.who(bearer(token()))
        web.answers["/keys"] = (200, jwks(one=RSA, new=OTHER))
        text = token(OTHER, headers={"kid": "new"})
        await auth.clock.advance(4)
        with pytest.raises(Refusal) as refusal:
            await auth.who(bearer(text))
        assert (refusal.value.code, refusal.value.retry_after_s) == ("state_unavailable", COOLDOWN_S - 4)
        await auth.clock.advance(COOLDOWN_S - 4)
        assert await auth.code(bearer(text)) is None
        await auth.clock.advance(COOLDOWN_S)
        assert await auth.code(bearer(token(OTHER, headers={"kid": "none"}))) == "invalid_api_key"


async def test_a_fetch_that_was_given_up_is_none_and_the_next_caller_need_not_wait_for_another() -> None:
    web, clock = Web(), FakeClock(NOW)
    web.answers["/keys"] = (200, jwks(one=RSA))
    keys = PublishedKeys(JWKS, 3600, web, clock, KeySet())
    web.answering.clear()
    given_up = asyncio.create_task(keys.find("one"))
    await settle()
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    web.answering.set()
    assert await keys.find("one") is not None
    assert web.asked == ["GET /keys"] * 2


async def test_a_published_key_that_makes_no_sense_is_left_out() -> None:
    web = Web()
    keys = json.loads(jwks(one=RSA))["keys"]
    odd = [{**keys[0], "kid": ["one"]}, {**keys[0], "alg": ["RS256"]}, {"kty": 7}]
    web.answers["/keys"] = (200, json.dumps({"keys": [*odd, *keys]}).encode())
    async with issuer(web) as (auth, _):
        assert await auth.code(bearer(token())) is None


@pytest.mark.parametrize("broken", [(500, b""), (200, b"not json"), None], ids=["error", "garbage", "down"])
async def test_r13_an_issuer_that_does_not_answer_is_503_and_known_keys_go_on(broken: tuple[int, bytes] | None) -> None:
    web = Web()
    web.answers["/keys"] = broken
    async with issuer(web) as (auth, _):
        assert await auth.code(bearer(token())) == "state_unavailable"
        web.answers["/keys"] = (200, jwks(one=RSA))
        await auth.clock.advance(COOLDOWN_S)
        assert await auth.code(bearer(token())) is None
        web.answers["/keys"] = broken
        await auth.clock.advance(3600 - COOLDOWN_S)
        later = token(exp=NOW + 9999)
        assert await auth.code(bearer(later)) is None
        assert await auth.code(bearer(token(OTHER, headers={"kid": "new"}, exp=NOW + 9999))) == "state_unavailable"


async def test_z10_a_user_of_a_disabled_tenant_is_refused_within_the_time_that_keys_are_believed() -> None:
    async with issuer(tenant_claim="org", pepper=secret(PEPPER)) as (auth, _):
        await auth.tenant("stored")
        assert await auth.code(bearer(token(org="stored"))) is None
        await auth.auth.tenants.change("stored", lambda tenant: msgspec.structs.replace(tenant, disabled_at=NOW))
        await auth.clock.advance(1)
        assert await auth.code(bearer(token(org="stored"))) == "invalid_api_key"


async def test_a_remembered_token_does_not_outlive_its_end() -> None:
    async with issuer(leeway_s=0) as (auth, _):
        text = token(exp=NOW + 5)
        assert await auth.code(bearer(text)) is None
        await auth.clock.advance(5)
        assert await auth.code(bearer(text)) == "invalid_api_key"


def test_pyjwt_is_imported_only_where_tokens_are_configured() -> None:
    import subprocess
    import sys

    code = "import sys, sentinel_plugins.auth; print('jwt' in sys.modules, 'cryptography' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
