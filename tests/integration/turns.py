"""Conversations of three turns as clients of each API hold them: the history goes back with every turn."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.sse import SseParser
from sentinel_core.events import TextDelta, TextEvent, ToolCallDelta
from sentinel_core.json_types import JsonObject, JsonValue
from tests.core.dialects.cuts import payloads
from tests.upstream import DONE, USAGE, Reply, Stream, chat_stream, chunk, completion, delta
from tests.upstream.anthropic import message, message_stream, text_block, tool_block
from tests.upstream.payloads import response, response_stream, sse, text_completion, text_stream

SIZE = 7


class Heard(NamedTuple):
    """What a client got: the text, and the arguments of the tool that is called, if one is."""

    text: str
    arguments: str = ""


def cut(text: str) -> list[str]:
    """In pieces that end where no word does."""
    return [text[at : at + SIZE] for at in range(0, len(text), SIZE)]


class Talk(ABC):
    """One API: what a client sends, what a provider answers, how a client goes on."""

    path: str
    dialect: Dialect
    provider = "openai"
    tools = True
    history = "messages"
    """The last member of a request, so that a longer conversation begins with the bytes of a shorter one."""

    def body(self, history: JsonValue, *, stream: bool) -> JsonObject:
        """A request."""
        options = {"stream_options": {"include_usage": True}} if stream else {}
        return {"model": "m", "stream": stream, **options, self.history: history}

    def begin(self, text: str) -> JsonValue:
        """The history with the first message."""
        return [{"role": "user", "content": text}]

    def asked(self, body: JsonValue) -> str:
        """The last thing that a user said or a tool gave, as the provider sees it."""
        found: str = body[self.history][-1]["content"]
        return found

    def heard(self, content: bytes, *, stream: bool) -> Heard:
        """What came back."""
        events: list[JsonValue] = []
        if stream:
            decoder = self.dialect.stream_decoder()
            for data, name in payloads(SseParser(), [content]):
                events += decoder.decode(data, name) if data else ()
        else:
            events += self.dialect.decompose(self.dialect.decode_answer(content))
        texts = [event for event in events if isinstance(event, TextEvent)]
        return Heard(
            "".join(event.text for event in texts if isinstance(event, TextDelta)),
            "".join(event.text for event in texts if isinstance(event, ToolCallDelta)),
        )

    @abstractmethod
    def said(self, text: str, *, stream: bool) -> Reply | Stream:
        """A provider's answer."""

    @abstractmethod
    def going_on(self, history: JsonValue, heard: Heard, text: str) -> JsonValue:
        """The history with an answer and the next message."""

    def called(self, text: str, arguments: str, *, stream: bool) -> Reply | Stream:
        """A provider's answer that calls a tool as well."""
        raise NotImplementedError

    def resulting(self, history: JsonValue, heard: Heard, result: str) -> JsonValue:
        """The history with an answer that called a tool, and what that gave."""
        raise NotImplementedError


class Chat(Talk):
    """OpenAI's chats."""

    path = "/v1/chat/completions"
    dialect = OPENAI_CHAT

    def said(self, text: str, *, stream: bool) -> Reply | Stream:
        return Stream(chat_stream(*cut(text), usage=True)) if stream else Reply(completion(text))

    def called(self, text: str, arguments: str, *, stream: bool) -> Reply | Stream:
        if not stream:
            call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
            said = {"role": "assistant", "content": text, "tool_calls": [call]}
            return Reply(completion(choices=[{"index": 0, "message": said, "finish_reason": "tool_calls"}]))
        calls: list[JsonValue] = [{"index": 0, "function": {"arguments": piece}} for piece in ("", *cut(arguments))]
        calls[0] |= {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
        chunks = [*map(delta, cut(text)), *(delta(tool_calls=[call]) for call in calls), delta(finish="tool_calls")]
        return Stream([*map(sse, [*chunks, chunk([], usage=USAGE)]), DONE])

    def going_on(self, history: JsonValue, heard: Heard, text: str) -> JsonValue:
        return [*history, {"role": "assistant", "content": heard.text}, {"role": "user", "content": text}]

    def resulting(self, history: JsonValue, heard: Heard, result: str) -> JsonValue:
        calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": heard.arguments}}]
        said = {"role": "assistant", "content": heard.text, "tool_calls": calls}
        return [*history, said, {"role": "tool", "tool_call_id": "c", "content": result}]


class Completions(Talk):
    """OpenAI's prompts, to which clients add."""

    path = "/v1/completions"
    dialect = OPENAI_COMPLETIONS
    tools = False
    history = "prompt"

    def begin(self, text: str) -> JsonValue:
        return f"User: {text}\nBot:"

    def asked(self, body: JsonValue) -> str:
        prompt: str = body["prompt"]
        return prompt.removesuffix("\nBot:").rpartition("\nUser: ")[2].removeprefix("User: ")

    def said(self, text: str, *, stream: bool) -> Reply | Stream:
        return Stream(text_stream(*cut(text))) if stream else Reply(text_completion(text))

    def going_on(self, history: JsonValue, heard: Heard, text: str) -> JsonValue:
        return f"{history} {heard.text}\nUser: {text}\nBot:"


class Messages(Talk):
    """Anthropic's messages."""

    path = "/v1/messages"
    dialect = ANTHROPIC_MESSAGES
    provider = "anthropic"

    def body(self, history: JsonValue, *, stream: bool) -> JsonObject:
        return {"model": "m", "max_tokens": 99, "stream": stream, "messages": history}

    def asked(self, body: JsonValue) -> str:
        content = body["messages"][-1]["content"]
        found: str = content if isinstance(content, str) else content[0]["content"]
        return found

    def said(self, text: str, *, stream: bool) -> Reply | Stream:
        return Stream(message_stream(*cut(text))) if stream else Reply(message(text))

    def called(self, text: str, arguments: str, *, stream: bool) -> Reply | Stream:
        if not stream:
            call = {"type": "tool_use", "id": "c", "name": "f", "input": json.loads(arguments)}
            return Reply(message(text, call))
        blocks = [text_block(0, *cut(text)), tool_block(1, "c", "f", *cut(arguments))]
        return Stream(message_stream(blocks=blocks, reason="tool_use"))

    def going_on(self, history: JsonValue, heard: Heard, text: str) -> JsonValue:
        return [*history, {"role": "assistant", "content": heard.text}, {"role": "user", "content": text}]

    def resulting(self, history: JsonValue, heard: Heard, result: str) -> JsonValue:
        call = {"type": "tool_use", "id": "c", "name": "f", "input": json.loads(heard.arguments)}
        said = {"role": "assistant", "content": [{"type": "text", "text": heard.text}, call]}
        given = {"type": "tool_result", "tool_use_id": "c", "content": result}
        return [*history, said, {"role": "user", "content": [given]}]


class Responses(Talk):
    """OpenAI's responses, with the history in the request."""

    path = "/v1/responses"
    dialect = OPENAI_RESPONSES
    history = "input"

    def body(self, history: JsonValue, *, stream: bool) -> JsonObject:
        return {"model": "m", "stream": stream, "input": history}

    def asked(self, body: JsonValue) -> str:
        item = body["input"][-1]
        found: str = item["output"] if item.get("type") == "function_call_output" else item["content"]
        return found

    def said(self, text: str, *, stream: bool) -> Reply | Stream:
        return Stream(response_stream(*cut(text))) if stream else Reply(response(text))

    def called(self, text: str, arguments: str, *, stream: bool) -> Reply | Stream:
        call = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": arguments}
        whole = response(text)
        whole["output"].append({**call, "status": "completed"})
        if not stream:
            return Reply(whole)
        at = {"item_id": "fc", "output_index": 1}
        begun = {**whole["output"][1], "arguments": "", "status": "in_progress"}
        frames: Sequence[JsonObject] = [
            {"type": "response.output_item.added", "output_index": 1, "item": begun},
            *({"type": "response.function_call_arguments.delta", **at, "delta": piece} for piece in cut(arguments)),
            {"type": "response.function_call_arguments.done", **at, "arguments": arguments},
            {"type": "response.output_item.done", "output_index": 1, "item": whole["output"][1]},
            {"type": "response.completed", "response": whole},
        ]
        named = [b"event: %s\n" % frame["type"].encode() + sse(frame) for frame in frames]
        return Stream([*response_stream(*cut(text))[:-1], *named])

    def going_on(self, history: JsonValue, heard: Heard, text: str) -> JsonValue:
        return [*history, self._message(heard), {"role": "user", "content": text}]

    def resulting(self, history: JsonValue, heard: Heard, result: str) -> JsonValue:
        call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": heard.arguments}
        return [
            *history,
            self._message(heard),
            call,
            {"type": "function_call_output", "call_id": "c", "output": result},
        ]

    def _message(self, heard: Heard) -> JsonObject:
        return {"role": "assistant", "content": [{"type": "output_text", "text": heard.text}]}


TALKS: Sequence[Talk] = (Chat(), Completions(), Messages(), Responses())
