"""No field of a body makes the upstream ask another model than the one that was admitted, in any dialect."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_COUNTING, ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.steering import REFUSED_FIELDS
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue

BODY = {
    "model": "m",
    "messages": [{"role": "user", "content": "x"}],
    "input": "x",
    "prompt": "x",
    "max_tokens": 10,
}
DIALECTS = (
    *(OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS, OPENAI_RESPONSES),
    *(ANTHROPIC_MESSAGES, ANTHROPIC_COUNTING),
)
every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


def refused(dialect: Dialect, **fields: JsonValue) -> tuple[str, str | None]:
    with pytest.raises(Refusal) as caught:
        dialect.decode_request({**BODY, **fields})
    return caught.value.code, caught.value.param


@every_dialect
@pytest.mark.parametrize("name", sorted(REFUSED_FIELDS))
def test_h30_fields_that_steer_other_gateways_are_refused(dialect: Dialect, name: str) -> None:
    if (dialect.name.partition(".")[0], name) != ("anthropic", "cache_control"):
        assert refused(dialect, **{name: None}) == ("unsupported_parameter", name)


def test_a_field_that_is_anthropics_own_reaches_it() -> None:
    cached: JsonObject = {"cache_control": {"type": "ephemeral"}}
    assert ANTHROPIC_MESSAGES.decode_request({**BODY, **cached}).body["cache_control"] == cached["cache_control"]
    assert OPENAI_CHAT.decode_request({**BODY, "extra_content": {"anthropic": cached}})
    assert refused(OPENAI_CHAT, extra_content={"openai": cached})[1] == "extra_content.openai.cache_control"


REROUTING: list[tuple[str, JsonObject]] = [
    ("models", {"models": ["openai/o1-pro"]}),
    ("provider", {"provider": {"order": ["dear"], "allow_fallbacks": False}}),
    ("provider", {"provider": ["dear"]}),
    ("providerOptions.gateway", {"providerOptions": {"gateway": {"models": ["openai/o1-pro"]}}}),
    ("providerOptions.gateway", {"providerOptions": {"openai": {}, "gateway": {"order": ["azure"]}}}),
    ("compound_custom.models", {"compound_custom": {"models": {"answering_model": "openai/gpt-oss-120b"}}}),
    ("plugins[1]", {"plugins": [{"id": "web"}, {"id": "fusion", "analysis_models": ["openai/o1-pro"]}]}),
    ("tools[0]", {"tools": [{"type": "openrouter:advisor", "parameters": {"model": "openai/o1-pro"}}]}),
    ("tools[0]", {"tools": [{"type": "openrouter:subagent"}]}),
    ("tools[0]", {"tools": [{"type": "other-host:fusion"}]}),
    ("tools[0]", {"tools": [{"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5"}]}),
    ("extra_content.anthropic.models", {"extra_content": {"anthropic": {"models": ["claude-opus-5"]}}}),
    ("extra_content.anthropic.tools[0]", {"extra_content": {"anthropic": {"tools": [{"type": "advisor_20260301"}]}}}),
    ("tools[0]", {"tools": [{"type": "extra_content", "extra_content": {"anthropic": {"type": "advisor_20260301"}}}]}),
    ("extra_content.x.metadata", {"extra_content": {"x": {"metadata": {"disable_guardrails": True}}}}),
]


@every_dialect
@pytest.mark.parametrize(("param", "fields"), REROUTING, ids=lambda value: value if isinstance(value, str) else "")
def test_what_re_routes_within_a_field_is_refused(dialect: Dialect, param: str, fields: JsonObject) -> None:
    assert refused(dialect, **fields) == ("unsupported_parameter", param)


LEFT: list[JsonObject] = [
    {"provider": "openai"},
    {"provider": None},
    {"providerOptions": {"anthropic": {"cacheControl": {"type": "ephemeral"}}, "openai": {"models": 1}}},
    {"providerOptions": "gateway"},
    {"compound_custom": {"tools": {"enabled_tools": ["web_search"]}}},
    {"plugins": [{"id": "web"}, {"id": "response-healing"}, "fusion"]},
    {"tools": [{"type": "function", "name": "advisor", "function": {"name": "advisor"}}]},
    {"tools": [{"type": "image_generation", "model": "gpt-image-1"}]},
    {"extra_content": {"cohere": {"documents": ["x"]}, "x": "models"}},
    {"metadata": {"models": "a", "route": "b", "provider": "c"}},
    {"model": "a,b"},
    {"model": "openai/gpt-4o:online"},
]


@every_dialect
@pytest.mark.parametrize("fields", LEFT, ids=str)
def test_what_does_not_re_route_is_left(dialect: Dialect, fields: JsonObject) -> None:
    body = {**BODY, **fields}
    assert dialect.decode_request(body).body == body
