"""`GET /metrics`: JSON for people, text for scrapers, and nobody's names for strangers (C-17, C-36, S2-43)."""

from __future__ import annotations

import os

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from sentinel_core.config import settings_from
from sentinel_core.context import Client
from sentinel_core.errors import ConfigError, Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.keys import Principal
from sentinel_core.stage import Stage
from sentinel_core.testing.fake_clock import settle
from sentinel_plugins.metrics.config import MetricsConfig
from sentinel_plugins.metrics.exposition import OPENMETRICS, TEXT, Exposition, wanted
from sentinel_plugins.metrics.stage import Metrics
from tests.plugins.auth.callers import ADMIN_KEY, STATIC, secret
from tests.plugins.auth.gateway import House, house, tables
from tests.plugins.recording.written import rows
from tests.server.wire import Answer, request

TOKEN = "a token of the tests"
SCRAPER = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
PLAIN = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


def settings(**metrics: TomlValue) -> TomlTable:
    found = tables()
    found["stages"] |= {"metrics": metrics, "usage": {}, "audit": {}, "rate_limit": {"max_requests": 2}}
    return found


async def get(h: House, path: str = "/metrics", **headers: str) -> Answer:
    lines = tuple(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())
    async with h.served.connect() as wire:
        return await wire.ask(request(path, method="GET", headers=lines))


async def chat(h: House, key: str, expect: int = 200) -> None:
    messages = [{"role": "user", "content": "Hello"}]
    answer = await h.ask("/v1/chat/completions", key, "POST", model="gpt-4o", messages=messages)
    assert answer.status == expect
    await rows(h.gateway.records, "audit", 1, request_id=answer.headers["x-request-id"])


def numbers(text: str) -> dict[str, float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    families = text_string_to_metric_families(text)
    return {
        sample.name + "".join(f"/{value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


async def test_c_17_json_by_default_and_text_for_whoever_asks_as_scrapers_do() -> None:
    async with house(settings()) as h:
        await chat(h, STATIC)
        for accept in ("", "*/*", "application/json, text/plain, */*", "text/html"):
            answer = await get(h, accept=accept)
            assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
            assert answer.json["counts"]["requests"] == {"chat": {"2xx": 1}}
        for path, accept, form in (
            ("/metrics", SCRAPER, OPENMETRICS),
            ("/metrics", PLAIN, TEXT),
            ("/metrics/prometheus", "", TEXT),
            ("/metrics/prometheus", SCRAPER, OPENMETRICS),
        ):
            answer = await get(h, path, accept=accept)
            assert (answer.status, answer.headers["content-type"]) == (200, form)
            text = answer.body.decode()
            parse = openmetrics_families if form == OPENMETRICS else text_string_to_metric_families
            parsed = parse(text)
            assert {"sentinel_requests", "sentinel_attempts"} <= {family.name for family in parsed}


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/openmetrics-text;q=0, text/plain;version=0.0.4", TEXT),
        ("application/openmetrics-text;q=0.4,text/plain;version=0.0.4;q=0.5", TEXT),
        ("text/plain;version=0.0.4;q=0.5, application/openmetrics-text; q=0.75, */*;q=0.1", OPENMETRICS),
        ("text/plain;version=0.0.4, application/openmetrics-text", TEXT),
        ("application/json, application/openmetrics-text;q=0.1", ""),
        ("application/openmetrics-text;q=0.000", ""),
        ("application/openmetrics-text;q=much", OPENMETRICS),
    ],
)
def test_what_is_wanted_most_is_what_comes(accept: str, form: str) -> None:
    assert wanted(accept) == form


@pytest.mark.parametrize(("policy", "reads"), [("admin", "nobody"), ("caller", "anybody")])
def test_a_policy_that_asks_nobody_who_they_are_is_a_warning(policy: str, reads: str) -> None:
    def warned(**stages: TomlValue) -> list[str]:
        return [one for one in Gateway(settings_from({"stages": stages})).warnings if "/metrics" in one]

    (warning,) = warned(metrics={"policy": policy})
    assert warning.startswith(f"{reads} may read /metrics")
    assert warned(metrics={"policy": policy}, auth={}) == warned(metrics={}) == []


class Helper(Stage):
    """Has a method of a name that says nothing."""

    async def authenticate(self, client: Client) -> Principal:
        raise AssertionError


def test_a_helper_called_authenticate_says_nobody_who_reads() -> None:
    assert [*Metrics.warnings(MetricsConfig(policy="admin"), (Helper,))]


async def test_s2_43_s4_31_it_counts_requests_calls_tokens_money_refusals_and_rows() -> None:
    async with house(settings()) as h:
        for expect in (200, 200, 429):
            await chat(h, STATIC, expect)
        await chat(h, "a key that nobody made", 401)
        found = numbers((await get(h, "/metrics/prometheus")).body.decode())
        ledger = (await h.ask("/v1/usage", ADMIN_KEY)).json["total"]
    expected = {
        "sentinel_requests_total/chat/2xx": 2,
        "sentinel_requests_total/chat/4xx": 2,
        "sentinel_attempts_total/completed/echo": 2,
        "sentinel_tokens_total/prompt/echo": ledger["prompt_tokens"],
        "sentinel_tokens_total/completion/echo": ledger["completion_tokens"],
        "sentinel_cost_nanousd_total/echo": ledger["cost_nanousd"],
        "sentinel_admissions_refused_total/requests": 1,
        "sentinel_audit_written_total": 4,
        "sentinel_audit_dropped_total": 0,
        "sentinel_audit_sealed_total": 0,
        "sentinel_usage_written_total": 2,
        "sentinel_state_available": 1,
        "sentinel_records_available": 1,
    }
    assert {name: found[name] for name in expected} == expected
    assert ledger["prompt_tokens"] > 0


async def test_c_36_z20_usage_is_for_whoever_has_a_key_and_no_tenant_is_named_to_others() -> None:
    async with house(settings()) as h:
        for name in ("acme", "other"):
            assert (await h.ask("/admin/tenants", ADMIN_KEY, "POST", id=name)).status == 201
        (_, ours), (_, theirs) = await h.key("acme"), await h.key("other")
        await chat(h, ours)
        for _ in range(2):
            await chat(h, theirs)
        stranger = await get(h)
        assert "usage" not in stranger.json
        text = await get(h, "/metrics/prometheus")
        assert not any(name in text.body + stranger.body for name in (b"acme", b"gpt-4o", ours.encode()))
        seen = {key: (await get(h, x_api_key=key)).json["usage"]["requests"] for key in (ours, theirs, ADMIN_KEY)}
        assert seen == {ours: 1, theirs: 2, ADMIN_KEY: 3}
        assert (await get(h, authorization=f"Bearer {ours}")).json["usage"]["requests"] == 1
        assert (await get(h, x_api_key="a key that nobody made")).status == 401


async def test_c_36_usage_holds_what_was_done_a_moment_ago() -> None:
    async with house(settings()) as h:
        messages = [{"role": "user", "content": "Hello"}]
        assert (await h.ask("/v1/chat/completions", STATIC, "POST", model="gpt-4o", messages=messages)).status == 200
        assert (await get(h, x_api_key=STATIC)).json["usage"]["requests"] == 1


async def test_c_36_while_the_ledger_is_away_the_counts_are_shown_without_usage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Refusal("ledger_unavailable")

    async with house(settings()) as h:
        monkeypatch.setattr(h.gateway.records, "aggregate", away)
        answer = await get(h, x_api_key=STATIC)
        assert (answer.status, "usage" in answer.json, "counts" in answer.json) == (200, False, True)
        assert (await h.ask("/v1/usage", STATIC)).code == "ledger_unavailable"


async def test_c_36_with_a_token_nobody_reads_it_without_that_or_a_key() -> None:
    async with house(settings(token=secret(TOKEN))) as h:
        for path in ("/metrics", "/metrics/prometheus"):
            for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}, {"x_api_key": "wrong"}):
                assert (await get(h, path, **headers)).status == 401
            assert (await get(h, path, authorization=f"Bearer {TOKEN}")).status == 200
        assert "usage" not in (await get(h, authorization=f"Bearer {TOKEN}")).json
        assert (await get(h, x_api_key=STATIC)).json["usage"]["requests"] == 0  # a key does as well
    alone = {"stages": {"metrics": {"token": secret(TOKEN)}}}
    async with house(alone) as h:
        assert (await get(h, x_api_key=TOKEN)).status == 401
        assert (await get(h, authorization=f"Bearer {TOKEN}")).status == 200


@pytest.mark.parametrize(("policy", "statuses"), [("caller", (401, 200, 200)), ("admin", (404, 403, 200))])
async def test_its_policy_is_a_setting(policy: str, statuses: tuple[int, ...]) -> None:
    async with house(settings(policy=policy)) as h:
        found = [await h.ask("/metrics", key) for key in (None, STATIC, ADMIN_KEY)]
        assert tuple(answer.status for answer in found) in (statuses, (401, *statuses[1:]))


@pytest.mark.parametrize(
    "table",
    [
        {"token": secret("short")},
        {"token": secret("a token of the café")},
        {"token": secret("a token\nof two lines")},
        {"token": secret(TOKEN), "policy": "caller"},
    ],
    ids=str,
)
def test_a_token_that_protects_nothing_is_refused(table: TomlTable) -> None:
    with pytest.raises(ConfigError, match="token"):
        Gateway(settings_from(settings(**table)))


def test_all_that_is_wrong_with_a_token_is_told() -> None:
    with pytest.raises(ConfigError) as refused:
        Gateway(settings_from(settings(token=secret("short"), policy="caller")))
    assert len(refused.value.problems) == 2


async def test_without_keys_there_is_no_usage_and_nothing_before_it_is_open() -> None:
    tables = {"stages": {"metrics": {}}, "providers": {"echo": {"models": ["echo"]}}}
    gateway = Gateway(settings_from(tables))
    assert Exposition(gateway).text() == b""
    async with house(tables) as h:
        answer = await get(h, x_api_key="any")
        assert (answer.status, "usage" in answer.json, answer.json["total_cost_usd"]) == (200, False, "0")


async def test_several_workers_are_told_apart() -> None:
    """Whichever worker is asked: no series seems to fall when another one answers."""
    stores = {"state": {"approximate": True}, "records": {"approximate": True}}
    gateway = Gateway(settings_from({"server": {"workers": 2}, "stages": {"metrics": {}}, **stores}))
    async with gateway:
        text = Exposition(gateway).text().decode()
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert samples
    assert all(f'worker="{os.getpid()}"' in line for line in samples)


async def test_a_reload_goes_on_counting() -> None:
    async with house(settings()) as h:
        await chat(h, STATIC)
        await h.gateway.reload()
        await chat(h, STATIC)
        await settle()
        assert (await get(h)).json["counts"]["requests"] == {"chat": {"2xx": 2}}
