"""Conversations of the part of OpenAI's format that every chat API has, the same for clients of Messages and of
Responses, and what all of them say apart from how they say it.

The part: one system message; texts of users and of the assistant, as strings or as parts of text; calls of tools and
their results; tools; and `max_tokens`, `temperature`, `top_p`, `stop`, `tool_choice`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Request
from tests.json_values import json_values

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLIENTS: Mapping[str, Dialect] = {
    "openai": OPENAI_CHAT,
    "anthropic": ANTHROPIC_MESSAGES,
    "responses": OPENAI_RESPONSES,
}
"""The dialects that clients speak."""
PARAMETERS = ("max_tokens", "temperature", "top_p", "stop", "tools", "tool_choice")

names = st.text("abcdefghij_", min_size=1, max_size=6)
texts = st.text(min_size=1, max_size=8).filter(str.strip)
scalars = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | texts
values = json_values(scalars, names)
arguments = st.dictionaries(names, values, max_size=3)
contents: st.SearchStrategy[JsonValue] = texts | st.lists(
    st.builds(lambda text: {"type": "text", "text": text}, texts), min_size=1, max_size=2
)


@st.composite
def chats(draw: st.DrawFn) -> JsonObject:
    """A request of OpenAI's format."""
    messages: list[JsonObject] = []
    if maybe(draw):
        messages.append({"role": "system", "content": draw(texts)})
    for _ in range(draw(st.integers(1, 2))):
        messages.append({"role": "user", "content": draw(contents)})
        made = [called(draw, len(messages), number) for number in range(draw(st.integers(0, 2)))]
        said = draw(texts | st.none() if made else texts)
        messages.append({"role": "assistant", "content": said, **({"tool_calls": made} if made else {})})
        for call in made:
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": draw(texts)})
        if made and maybe(draw):
            messages.append({"role": "assistant", "content": draw(texts)})
    if messages[-1]["role"] == "assistant" or maybe(draw):
        messages.append({"role": "user", "content": draw(texts)})
    return {"model": "m", "messages": messages, **draw(parameters)}


def maybe(draw: st.DrawFn) -> bool:
    """Either."""
    return draw(st.booleans())


def called(draw: st.DrawFn, turn: int, number: int) -> JsonObject:
    """A call of a tool; its id has nine letters and digits, for those that take no other."""
    function = {"name": draw(names), "arguments": json.dumps(draw(arguments))}
    return {"id": f"call{turn:03}{number:02}", "type": "function", "function": function}


tools = st.lists(names, min_size=1, max_size=2, unique=True).map(
    lambda made: [
        {"type": "function", "function": {"name": name, "description": "d", "parameters": SCHEMA}} for name in made
    ]
)
parameters = st.fixed_dictionaries(
    {"max_tokens": st.integers(1, 99)},
    optional={
        "temperature": st.sampled_from([0.25, 0.5, 1.0]),
        "top_p": st.sampled_from([0.25, 0.5]),
        "stop": st.lists(names, min_size=1, max_size=2),
    },
) | st.fixed_dictionaries(
    {"max_tokens": st.integers(1, 99), "tools": tools},
    optional={"tool_choice": st.sampled_from(["auto", "required", "none"])},
)


def as_messages(chat: JsonMapping) -> JsonObject:
    """The same request of a client of Messages."""
    turns: list[JsonObject] = []
    body: JsonObject = {"model": chat["model"], "messages": turns}
    for message in chat["messages"]:
        if message["role"] == "system":
            body["system"] = message["content"]
        elif message["role"] == "tool":
            result = {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": message["content"]}
            if turns[-1]["role"] == "assistant":
                turns.append({"role": "user", "content": []})
            turns[-1]["content"].append(result)
        elif turns and turns[-1]["role"] == message["role"] == "user":
            turns[-1]["content"] += blocks(message["content"])
        else:
            calls = [tool_use(call) for call in message.get("tool_calls", ())]
            turns.append({"role": message["role"], "content": [*blocks(message["content"]), *calls]})
    body |= {key: chat[key] for key in ("max_tokens", "temperature", "top_p") if key in chat}
    if "stop" in chat:
        body["stop_sequences"] = chat["stop"]
    if "tools" in chat:
        functions = [tool["function"] for tool in chat["tools"]]
        body["tools"] = [{**rest, "input_schema": schema} for rest, schema in map(parted, functions)]
    if "tool_choice" in chat:
        body["tool_choice"] = {"type": {"auto": "auto", "required": "any", "none": "none"}[chat["tool_choice"]]}
    return body


def as_responses(chat: JsonMapping) -> JsonObject:
    """The same request of a client of Responses, which cannot say `stop`."""
    items: list[JsonObject] = []
    body: JsonObject = {"model": chat["model"], "input": items, "max_output_tokens": chat["max_tokens"]}
    for message in chat["messages"]:
        content = message["content"]
        if message["role"] == "system":
            body["instructions"] = content
        elif message["role"] == "tool":
            items.append({"type": "function_call_output", "call_id": message["tool_call_id"], "output": content})
        elif content is not None:
            kind = "output_text" if message["role"] == "assistant" else "input_text"
            parts = [{**part, "type": kind} for part in blocks(content)]
            items.append({"role": message["role"], "content": content if isinstance(content, str) else parts})
        for call in message.get("tool_calls", ()):
            items.append({"type": "function_call", "call_id": call["id"], **call["function"]})
    body |= {key: chat[key] for key in ("temperature", "top_p", "tool_choice") if key in chat}
    if "tools" in chat:
        body["tools"] = [{"type": "function", **tool["function"]} for tool in chat["tools"]]
    return body


def body_by(client: Dialect, chat: JsonMapping) -> JsonObject:
    """The same request as a client of this dialect sends it."""
    if client is ANTHROPIC_MESSAGES:
        return as_messages(chat)
    return as_responses(chat) if client is OPENAI_RESPONSES else dict(chat)


def request_of(client: Dialect, body: JsonMapping) -> Request:
    """The request that a body is, as a provider of chats gets it."""
    return msgspec.structs.replace(client.decode_request(dict(body)), operation="chat")


def blocks(content: JsonValue) -> list[JsonObject]:
    """Content as blocks of text."""
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else [dict(part) for part in content]


def tool_use(call: JsonMapping) -> JsonObject:
    """A call as a block."""
    function = call["function"]
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": json.loads(function["arguments"])}


def parted(function: JsonMapping) -> tuple[JsonObject, JsonValue]:
    """A function without its parameters, and those."""
    rest = dict(function)
    return rest, rest.pop("parameters")


def turns_of(chat: JsonMapping, between: str = "") -> list[tuple[JsonValue, ...]]:
    """Who said what: role, text, calls by name and arguments; of a result, the number of its call and its text.

    Ids are told apart and not looked at: some APIs have none. `between` is what parts of text are joined with.
    """
    ids: list[str] = []
    read: list[tuple[JsonValue, ...]] = []
    for message in chat["messages"]:
        text = text_of(message.get("content"), between)
        if message["role"] == "tool":
            read.append(("tool", ids.index(message["tool_call_id"]), text))
            continue
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        ids += [call["id"] for call in message.get("tool_calls") or ()]
        read.append(
            (message["role"], text, tuple((call["name"], canonical(json.loads(call["arguments"]))) for call in calls))
        )
    return read


def parameters_of(chat: JsonMapping) -> JsonObject:
    """How it is to be answered, under one name for each parameter. What an API does anyway is left out."""
    read = {name: chat[name] for name in PARAMETERS if chat.get(name) is not None}
    if "max_completion_tokens" in chat:
        read["max_tokens"] = chat["max_completion_tokens"]
    if isinstance(read.get("stop"), str):
        read["stop"] = [read["stop"]]
    if read.get("tool_choice") == "none":
        del read["tools"]  # where there is no word for it, none are named
    if read.get("tool_choice") in ("auto", "none"):
        del read["tool_choice"]
    if "tools" in read:
        functions = [tool["function"] for tool in read["tools"]]
        read["tools"] = [(each["name"], each["description"], each["parameters"]) for each in functions]
    return read


def text_of(content: JsonValue, between: str = "") -> str:
    """Content as one text."""
    if not isinstance(content, list):
        return content or ""
    return between.join(part["text"] for part in content)


def canonical(value: JsonValue) -> str:
    """JSON that is equal where the values are."""
    return json.dumps(value, sort_keys=True)
