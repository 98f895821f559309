"""What only OpenAI's own API can be told of a chat: every other one names what it leaves out, by one list."""

from __future__ import annotations

from typing import Any

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.cohere_chat import COHERE_CHAT
from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI
from sentinel_core.dialects.ollama_chat import OllamaChat
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import canonical_request
from sentinel_core.json_types import JsonObject, JsonValue

PNG = "data:image/png;base64,AAAA"
PICTURE = {"type": "image_url", "image_url": {"url": PNG}, "index": 0}
HI = {"role": "user", "content": "hi"}
WRITERS: JsonObject = {
    "claude-opus-4-5": ANTHROPIC_MESSAGES.from_canonical_request,
    "gemini-3-pro": GOOGLE_GEMINI.request_body,
    "command-a-vision": COHERE_CHAT.request_body,
    "llama3.2": OllamaChat().request_body,
    "gpt-5": OPENAI_CHAT.from_canonical_request,
}


def named(model: str, **fields: JsonValue) -> tuple[str, ...]:
    """What the API of this model is not told."""
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [HI], **fields})
    dropped: tuple[str, ...] = WRITERS[model](canonical_request(request, model).body, model).dropped
    return dropped


def assistant(**fields: JsonValue) -> JsonObject:
    return {"messages": [HI, {"role": "assistant", "content": "a", **fields}, HI]}


def image(detail: str) -> JsonObject:
    return {
        "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG, "detail": detail}}]}]
    }


def form(**fields: JsonValue) -> JsonObject:
    schema = {"name": "n", "schema": {"type": "object", "properties": {}, "additionalProperties": False}, **fields}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


OTHERS = set(WRITERS) - {"gpt-5"}
SAID: dict[str, tuple[dict[str, Any], set[str]]] = {  # what is said, and the models that it is not told
    "messages.name": ({"messages": [{**HI, "name": "ann"}]}, OTHERS),
    "messages.function_call": (assistant(function_call={"name": "w", "arguments": "{}"}), OTHERS),
    "messages.audio": (assistant(audio={"id": "a1"}), OTHERS),
    "messages.images": (assistant(images=[PICTURE]), OTHERS - {"gemini-3-pro"}),
    "messages.image_url.detail": (image("high"), OTHERS - {"command-a-vision"}),
    "response_format.json_schema.description": (form(description="d"), OTHERS),
}


@pytest.mark.parametrize("model", WRITERS)
@pytest.mark.parametrize("name", SAID)
def test_what_an_api_has_no_place_for_is_named(name: str, model: str) -> None:
    fields, not_told = SAID[name]
    assert named(model, **fields) == ((name,) if model in not_told else ())


@pytest.mark.parametrize("model", WRITERS)
@pytest.mark.parametrize(
    "fields",
    [
        assistant(name=None, audio=None, function_call=None),
        assistant(images=[]),
        image("auto"),
        form(),
        form(description=None),
        {
            "messages": [
                HI,
                {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "w", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "name": "w", "content": "x"},
            ]
        },
    ],
    ids=["null", "no image", "auto", "no description", "null description", "a result's name, which is its call's"],
)
def test_what_says_nothing_has_no_name(fields: JsonObject, model: str) -> None:
    assert named(model, **fields) == ()


@pytest.mark.parametrize("model", sorted(OTHERS - {"gemini-3-pro"}))
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frequency_penalty", 0),
        ("logit_bias", {}),
        ("logprobs", False),
        ("modalities", ["text"]),
        ("n", 1),
        ("parallel_tool_calls", True),
        ("presence_penalty", 0.0),
        ("service_tier", "auto"),
        ("service_tier", "default"),
        ("store", False),
        ("top_logprobs", 0),
    ],
)
def test_a_parameter_that_asks_for_what_happens_anyway_has_no_name(name: str, value: JsonValue, model: str) -> None:
    assert named(model, **{name: value}) == ()
