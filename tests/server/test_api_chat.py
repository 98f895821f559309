"""`POST /api/chat`, served: who is asked where no model is named, and what the answer says about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from sentinel_server.access_log import AccessRecord
from sentinel_server.app import asgi
from tests.server.edge_fixture import access_lines
from tests.server.gateway_fixture import encoded
from tests.server.serving import RUNNERS, serving
from tests.server.wire import Answer, Wire, request
from tests.upstream import Reply, Upstream, completion

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

BROKEN = Reply({"error": {"message": "boom"}}, 500)
CHAT = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 512, "temperature": 0.7}
FIELDS = {
    *("trace_id", "provider_used", "model", "response_text", "latency_ms"),
    *("status", "failover_occurred", "failover_chain", "tokens_used"),
}


@asynccontextmanager
async def two(upstream: Upstream, runner: str, **environ: str) -> AsyncIterator[tuple[Wire, Upstream]]:
    """`openai` before `ollama`, as the source system had them, and a connection to the gateway in front of them."""
    async with Upstream() as spare:
        ups = {"openai": upstream, "ollama": spare}
        tables: TomlTable = {
            "providers": {name: {"kind": "openai", "base_url": up.base_url} for name, up in ups.items()},
            "stages": {"routing": {}, "retry": {"base_delay_s": 0.01}, "breaker": {}},
        }
        gateway = Gateway(settings_from(tables, environ={"OLLAMA_MODEL": "llama3.2", **environ}))
        async with gateway, serving(asgi(gateway), runner) as served, served.connect() as wire:
            yield wire, spare


async def ask(wire: Wire, *headers: str, **fields: JsonValue) -> Answer:
    """One request. `fields` replace or add members of the body."""
    return await wire.ask(request("/api/chat", method="POST", headers=headers, body=encoded({**CHAT, **fields})))


async def test_s3_03_s3_04_the_first_provider_answers_and_the_answer_has_its_fields(
    runner: str, upstream: Upstream
) -> None:
    upstream.script("gpt-4o-mini", Reply(completion("hello")))
    async with two(upstream, runner) as (wire, spare):
        answer = await ask(wire)
        body = answer.json
        assert (answer.status, body.keys()) == (200, FIELDS)
        assert (body["provider_used"], body["model"], body["response_text"]) == ("openai", "gpt-4o-mini", "hello")
        assert (body["status"], body["failover_occurred"], body["failover_chain"]) == ("success", False, [])
        assert (body["latency_ms"] > 0, body["tokens_used"]) == (True, 5)
        sent = upstream.requests[-1].json
        assert (sent["max_tokens"], sent["temperature"], sent["messages"]) == (512, 0.7, CHAT["messages"])
        assert spare.requests == []


async def test_s3_09_s3_10_the_next_provider_takes_over_and_the_answer_says_so(runner: str, upstream: Upstream) -> None:
    upstream.script(None, BROKEN)
    async with two(upstream, runner) as (wire, spare):
        spare.script("llama3.2", Reply(completion("from home")))
        body = (await ask(wire)).json
        assert (body["provider_used"], body["model"], body["response_text"]) == ("ollama", "llama3.2", "from home")
        assert (body["failover_occurred"], body["failover_chain"]) == (True, ["openai"])


async def test_c_33_variables_name_the_model_of_each_provider(runner: str, upstream: Upstream) -> None:
    upstream.script(None, BROKEN)
    async with two(upstream, runner, OPENAI_MODEL="gpt-4.1-nano", OLLAMA_MODEL="qwen3") as (wire, spare):
        spare.script("qwen3", Reply(completion()))
        assert (await ask(wire)).json["model"] == "qwen3"
        assert {asked.json["model"] for asked in upstream.requests} == {"gpt-4.1-nano"}


async def test_s3_30_the_trace_id_is_the_request_id(runner: str, upstream: Upstream) -> None:
    upstream.script(None, Reply(completion()))
    async with two(upstream, runner) as (wire, _):
        answer = await ask(wire, "X-Request-ID: trace-me-0123456789")
        assert answer.json["trace_id"] == answer.headers["x-request-id"] == "trace-me-0123456789"


async def test_the_access_log_names_who_answered_and_with_which_model(runner: str, upstream: Upstream) -> None:
    upstream.script(None, BROKEN)
    async with two(upstream, runner) as (wire, spare):
        spare.script(None, Reply(completion()))
        with access_lines() as lines:
            await ask(wire)
            record = await lines.next()
    assert isinstance(record, AccessRecord)
    assert (record.path, record.status, record.end) == ("/api/chat", 200, "--")
    assert (record.model, record.provider, record.attempts) == ("llama3.2", "ollama", 2)


async def test_a_model_that_is_named_is_asked(runner: str, upstream: Upstream) -> None:
    upstream.script("gpt-5", Reply(completion()))
    async with two(upstream, runner) as (wire, _):
        assert (await ask(wire, model="gpt-5")).json["model"] == "gpt-5"


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"messages": None}, "invalid_parameter"), ({"stream": True}, "unsupported_parameter")],
)
async def test_what_is_no_request_of_its_kind_is_refused(
    runner: str, upstream: Upstream, fields: JsonObject, code: str
) -> None:
    async with two(upstream, runner) as (wire, _):
        answer = await ask(wire, **fields)
        assert (answer.status, answer.code) == (400, code)
        assert upstream.requests == []


async def test_s0_38_nobody_answers_is_an_error_and_no_success(runner: str, upstream: Upstream) -> None:
    upstream.script(None, Reply({"error": {"message": "no"}}, 401))
    async with two(upstream, runner) as (wire, spare):
        spare.script(None, Reply({"error": {"message": "no"}}, 401))
        first, second = await ask(wire), await ask(wire)
        assert (first.status, first.code) == (502, "upstream_auth_error")
        assert (second.status, second.code) == (503, "circuit_open")
