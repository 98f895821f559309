"""Error responses in the shape of each host."""

from __future__ import annotations

import pytest

from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonObject, JsonValue
from tests.plugins.providers.calls import chat_call, drained, stream_of
from tests.plugins.providers.hosts.served import host_at
from tests.upstream import Reply, Stream, Upstream, chat_stream, delta, sse

WORDS = "it is not so"
OPENAI = {"error": {"message": WORDS, "type": "invalid_request_error", "param": "p", "code": "c"}}

CASES: list[tuple[str, int, JsonValue, tuple[str, int, str]]] = [
    ("groq", 400, OPENAI, ("invalid_request", 400, WORDS)),
    ("groq", 498, {"error": {"message": WORDS, "type": "capacity"}}, ("overloaded", 503, WORDS)),
    (
        "mistral",
        400,
        {"object": "error", "message": WORDS, "type": "invalid", "code": 3280},
        ("invalid_request", 400, WORDS),
    ),
    ("mistral", 422, {"detail": [{"loc": ["body", "top_k"], "msg": WORDS}]}, ("invalid_request", 422, WORDS)),
    ("mistral", 400, {"detail": WORDS}, ("invalid_request", 400, WORDS)),
    ("mistral", 400, {"message": {"detail": WORDS}}, ("invalid_request", 400, WORDS)),
    ("mistral", 422, {"message": {"detail": []}}, ("invalid_request", 422, "The request is not valid.")),
    (
        "deepseek",
        402,
        {"error": {"message": "Insufficient Balance"}},
        ("overloaded", 503, "The account of this gateway at the model's provider is out of balance or quota."),
    ),
    ("deepseek", 422, OPENAI, ("invalid_request", 422, WORDS)),
    ("xai", 400, {"code": "invalid", "error": WORDS}, ("invalid_request", 400, WORDS)),
    (
        "xai",
        400,
        {"code": "invalid", "error": "Incorrect API key provided: sk-own"},
        ("upstream_auth_error", 502, "The model's provider refused this gateway's credentials."),
    ),
    ("together", 400, {"error": WORDS}, ("invalid_request", 400, WORDS)),
    (
        "openrouter",
        403,
        {"error": {"code": 403, "message": "no rights"}},
        ("upstream_auth_error", 502, "The model's provider refused this gateway's credentials."),
    ),
    (
        "openrouter",
        403,
        {"error": {"code": 403, "message": WORDS, "metadata": {"reasons": ["violence"]}}},
        ("invalid_request", 400, WORDS),
    ),
    ("openrouter", 200, {"error": {"code": 502, "message": WORDS}}, ("upstream_error", 502, WORDS)),
    (
        "azure",
        400,
        {"error": {"message": WORDS, "code": "content_filter", "innererror": {}}},
        ("invalid_request", 400, WORDS),
    ),
    ("vercel", 404, {"error": {"message": WORDS, "type": "model_not_found"}}, ("model_not_found", 404, WORDS)),
    ("llama", 429, {"title": "x", "detail": WORDS}, ("rate_limit_exceeded", 429, WORDS)),
]


@pytest.mark.parametrize(("kind", "status", "body", "expected"), CASES)
async def test_an_error_in_a_hosts_shape_keeps_its_meaning(
    upstream: Upstream, kind: str, status: int, body: JsonValue, expected: tuple[str, int, str]
) -> None:
    upstream.script("m", Reply(body, status))
    async with host_at(upstream, kind) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    error = raised.value
    assert (error.code, error.status, error.message) == expected
    assert "sk-own" not in str(error)


@pytest.mark.parametrize("kind", ["azure", "openrouter"])
async def test_refused_content_has_the_code_that_routing_looks_for(upstream: Upstream, kind: str) -> None:
    filtered = {"message": WORDS, "code": "content_filter"} if kind == "azure" else {"metadata": {"reasons": ["x"]}}
    upstream.script("m", Reply({"error": filtered}, 400 if kind == "azure" else 403))
    async with host_at(upstream, kind) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert (raised.value.status, raised.value.wire_code) == (400, "content_filter")


DETAIL = {"detail": [{"type": "extra_forbidden", "loc": ["body", "tools", 0, "type"], "msg": WORDS}]}


@pytest.mark.parametrize(
    "body", [DETAIL, {"object": "error", "message": DETAIL, "type": "invalid_request_error", "param": None}]
)
async def test_a_validation_error_of_mistral_names_the_parameter(upstream: Upstream, body: JsonObject) -> None:
    upstream.script("m", Reply(body, 422))
    async with host_at(upstream, "mistral") as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert (raised.value.message, raised.value.param) == (WORDS, "tools.0.type")


async def test_u11_an_error_in_the_middle_of_a_stream_ends_it(upstream: Upstream) -> None:
    broken = {**delta(finish="error"), "error": {"code": 502, "message": WORDS}}
    upstream.script("m", Stream([*chat_stream("a", finish=None, done=False), sse(broken)]))
    async with host_at(upstream, "openrouter") as provider:
        _, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert error is not None
    assert error.message == WORDS
