"""What OpenAI's models refuse, they are not sent by clients of other formats, who cannot know it."""

from __future__ import annotations

import msgspec
import pytest

from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.keys import Target
from sentinel_plugins.providers.openai.config import OpenAIConfig
from sentinel_plugins.providers.openai.provider import OpenAIProvider
from tests.plugins.providers.calls import Nobody, answer_of
from tests.plugins.providers.fed import Fed
from tests.plugins.providers.hosts.served import KINDS
from tests.upstream import completion
from tests.upstream.payloads import encoded

FIVE = ["a", "b", "c", "d", "e"]
SAMPLING = {"temperature": 0.5, "top_p": 0.9}


def call(model: str, dialect: Dialect = ANTHROPIC_MESSAGES, **fields: JsonValue) -> Call:
    asked = {"input": "hi"} if dialect is OPENAI_RESPONSES else {"messages": [{"role": "user", "content": "hi"}]}
    more = {"max_tokens": 9} if dialect is ANTHROPIC_MESSAGES else {}
    request = dialect.decode_request({"model": "m", **asked, **more, **fields})
    request = msgspec.structs.replace(request, operation="chat")  # as it is routed to who has no other
    return Call(request, Target("upstream", model), Nobody(), attempt=1, request_id="req-1")


async def sent(made: Call, *, kind: str = "openai", **config: str) -> tuple[JsonObject, tuple[str, ...]]:
    """The parameters that the upstream is sent, and the names of what it is not."""
    fed = Fed([encoded(completion())])
    if kind == "azure":
        cls = KINDS[kind]
        provider = cls(cls.Config(endpoint="https://mine.openai.azure.com", **config), fed)
    else:
        provider = OpenAIProvider(msgspec.convert({"responses": False, **config}, OpenAIConfig), fed)
    answer = await answer_of(provider, made)
    usual = ("model", "messages", "max_completion_tokens", "max_tokens")
    return {name: value for name, value in fed.sent.items() if name not in usual}, answer.dropped


@pytest.mark.parametrize("kind", ["openai", "azure"])
@pytest.mark.parametrize(
    ("model", "fields", "kept", "dropped"),
    [
        ("gpt-5", {**SAMPLING, "stop_sequences": ["a"]}, {}, ("stop", "temperature", "top_p")),
        ("o3-mini-2025-01-31", SAMPLING, {}, ("temperature", "top_p")),
        ("gpt-5.6-luna", {"temperature": 0.2}, {}, ("temperature",)),
        ("ft:o4-mini-2025-04-16:acme::1", {"top_p": 0.9}, {}, ("top_p",)),
        ("gpt-5", {"temperature": 1, "top_p": 1.0}, {}, ()),
        ("gpt-5.2", SAMPLING, SAMPLING, ()),
        ("gpt-5.2-pro", SAMPLING, {}, ("temperature", "top_p")),
        ("gpt-5-chat-latest", SAMPLING, SAMPLING, ()),
        ("gpt-4o", {**SAMPLING, "stop_sequences": FIVE[:4]}, {**SAMPLING, "stop": FIVE[:4]}, ()),
        ("gpt-4.1", {"stop_sequences": FIVE}, {"stop": FIVE[:4]}, ("stop",)),
    ],
)
async def test_a_message_is_sent_without_what_the_model_refuses(
    kind: str, model: str, fields: JsonObject, kept: JsonObject, dropped: tuple[str, ...]
) -> None:
    found, names = await sent(call(model, **fields), kind=kind)
    assert (found, tuple(sorted(names))) == (kept, dropped)


@pytest.mark.parametrize(
    ("effort", "kept", "dropped"), [("none", {"temperature": 0.5}, ()), ("low", {}, ("temperature",))]
)
async def test_a_model_that_rests_unless_told_to_think_takes_a_temperature_while_it_does(
    effort: str, kept: JsonObject, dropped: tuple[str, ...]
) -> None:
    made = call("gpt-5.1", OPENAI_RESPONSES, reasoning={"effort": effort}, temperature=0.5)
    assert await sent(made) == ({"reasoning_effort": effort, **kept}, dropped)


@pytest.mark.parametrize("kind", ["openai", "azure"])
async def test_a_chat_request_leaves_as_the_client_wrote_it(kind: str) -> None:
    fields = {**SAMPLING, "stop": FIVE}
    assert await sent(call("gpt-5", OPENAI_CHAT, **fields), kind=kind) == (fields, ())


async def test_a_server_of_ones_own_is_not_openai() -> None:
    made = call("gpt-5", temperature=0.5, top_p=0.9, stop_sequences=FIVE)
    assert await sent(made, base_url="http://vllm:8000/v1") == ({**SAMPLING, "stop": FIVE}, ())


async def test_what_would_be_left_out_may_be_refused_instead() -> None:
    with pytest.raises(Refusal, match="unsupported_parameter") as refused:
        await sent(call("gpt-5", temperature=0.5), on_unsupported="refuse")
    assert refused.value.param == "temperature"
