"""OpenAI's chat requests as Cohere's, for any request: there and back, and never a fault."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.cohere_chat import COHERE_CHAT
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream.cohere import COHERE

MODEL = "command-a-reasoning-08-2025"
PNG = "data:image/png;base64,AAAA"
SCHEMA = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {}}}

# Any body that the dialect lets in is written or refused, never a fault.
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=4)
anything = json_values(scalars, st.text(max_size=4), levels=3)
names = ["content", "tool_calls", "refusal", "reasoning_content", "extra_content", "tool_call_id", "name"]
parts = st.fixed_dictionaries({}, optional=dict.fromkeys(("type", "text", "image_url", "cache_control"), anything))
calls = st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "function"), anything))
loose = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"])},
    optional={
        **dict.fromkeys(names, anything),
        "content": st.none() | st.text(max_size=3) | st.lists(parts | anything, max_size=2),
        "tool_calls": st.lists(calls, max_size=2) | anything,
    },
)
fields = [
    "tools",
    "tool_choice",
    "response_format",
    "reasoning_effort",
    "stop",
    "seed",
    "user",
    "extra_content",
    "top_k",
]


@given(st.lists(loose, min_size=1, max_size=3), st.fixed_dictionaries({}, optional=dict.fromkeys(fields, anything)))
def test_no_body_of_a_client_is_a_fault_of_ours(messages: list[JsonValue], others: JsonObject) -> None:
    try:
        request = OPENAI_CHAT.decode_request({"model": "m", "messages": messages, **others})
        body, _ = COHERE_CHAT.request_body(request.body, MODEL)
    except Refusal:
        return
    json.dumps(body)


# There and back: what the upstream understands is what was meant.
texts = st.text(min_size=1, max_size=8)
words = st.text(st.characters(categories=["Ll", "Nd"], max_codepoint=127), min_size=1, max_size=5)
text_parts = texts.map(lambda text: {"type": "text", "text": text})
image_parts = st.sampled_from([PNG, "https://host/x.png"]).map(
    lambda url: {"type": "image_url", "image_url": {"url": url}}
)
made_calls = st.builds(
    lambda id_, name, value: {
        "id": id_,
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(value)},
    },
    words,
    words,
    st.dictionaries(words, scalars, max_size=2),
)
users = st.builds(
    lambda content: {"role": "user", "content": content}, texts | st.lists(text_parts | image_parts, min_size=1)
)
answers = st.builds(
    lambda text, thought, made: {
        "role": "assistant",
        "content": text,
        **({"reasoning_content": thought} if thought else {}),
        **({"tool_calls": made} if made else {}),
    },
    texts,
    st.none() | texts,
    st.lists(made_calls, max_size=2),
)
results = st.builds(
    lambda id_, text: {"role": "tool", "tool_call_id": id_, "content": text}, words, st.text(max_size=5)
)
systems = texts.map(lambda text: {"role": "system", "content": text})
turns = st.builds(lambda *items: list(items), systems, users, answers, results, answers, users)
tools = st.lists(words, min_size=1, max_size=2, unique=True).map(
    lambda names: [
        {"type": "function", "function": {"name": name, "parameters": SCHEMA, "strict": True}} for name in names
    ]
)
requests = st.fixed_dictionaries(
    {"model": st.just(MODEL), "messages": turns},
    optional={
        "max_completion_tokens": st.integers(20_000, 99_000),
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0.01, 0.99),
        "top_k": st.integers(0, 500),
        "seed": st.integers(0, 9),
        "stop": st.lists(texts, min_size=1, max_size=5),
        "frequency_penalty": st.floats(0.1, 1),
        "presence_penalty": st.floats(0.1, 1),
        "logprobs": st.just(True),
        "stream": st.booleans(),
        "reasoning_effort": st.sampled_from(["minimal", "low", "medium", "high"]),
        "response_format": st.just({"type": "json_object"})
        | st.just({"type": "json_schema", "json_schema": {"name": "output", "schema": SCHEMA}}),
    },
)


@promised()
@given(requests, st.none() | tools, st.sampled_from([None, "required", "none"]))
def test_p8_a_request_there_and_back_is_the_same(body: JsonObject, offered: JsonValue, choice: str | None) -> None:
    if offered is not None:
        body = {**body, "tools": offered, **({"tool_choice": choice} if choice else {})}
        body.pop("response_format", None)
    sent = {**body, "messages": [_marked(message) for message in body["messages"]]}
    there = COHERE_CHAT.request_body(OPENAI_CHAT.decode_request(sent).body, MODEL)
    assert there.dropped == ()
    back = COHERE.conversation(there.body)
    back["messages"] = [_plain(message) for message in back["messages"]]
    assert back == body


def _marked(message: JsonObject) -> JsonObject:
    """With the mark of Cohere's own thoughts, as its answers have it."""
    return {**message, "extra_content": {"cohere": {"thinking": True}}} if "reasoning_content" in message else message


def _plain(message: JsonObject) -> JsonObject:
    """One text beside a thought is a string in OpenAI's form."""
    content = message["content"]
    alone = message["role"] == "assistant" and isinstance(content, list) and len(content) == 1
    return {**message, "content": content[0]["text"]} if alone else message
