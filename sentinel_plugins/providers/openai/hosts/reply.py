"""Answers and chunks of a host, in the words of OpenAI, before anybody else reads them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.answer import decode_usage
from sentinel_core.dialects.openai_chat.content_parts import parted
from sentinel_core.dialects.openai_chat.decoder import ChatStreamDecoder
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import Answer
from sentinel_plugins.providers.openai.hosts.host import ReplyRules
from sentinel_plugins.providers.openai.hosts.tool_ids import ToolIds


class HostReader:
    """Reads the bodies of one call. What no rule touches stays as it came, byte for byte."""

    __slots__ = ("_rules", "_tool_ids")

    def __init__(self, rules: ReplyRules, tool_ids: ToolIds | None = None) -> None:
        self._rules = rules
        self._tool_ids = tool_ids

    def decode_answer(self, raw: bytes) -> Answer:
        """A unary reply. Raises `UpstreamError`, also for an answer that says that the host failed."""
        answer = OPENAI_CHAT.decode_answer(raw)
        body = dict(answer.body)
        if not self.translate(body, "message"):
            return answer
        usage = decode_usage(body.get("usage"), body.get("service_tier"))
        return msgspec.structs.replace(answer, body=body, raw=None, usage=usage)

    def stream_decoder(self) -> HostStreamDecoder:
        """A decoder for one stream."""
        return HostStreamDecoder(self)

    def translate(self, body: JsonObject, part: str) -> bool:
        """Put a body into OpenAI's words, in place; `part` names what its choices hold. False if it was already."""
        changed = self._usage(body)
        choices = body.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                changed |= self._finish(choice)
                holder = choice.get(part)
                if isinstance(holder, dict):
                    changed |= self._content(holder) | self._ids(holder)
        return changed

    def _usage(self, body: JsonObject) -> bool:
        rules = self._rules
        usage = body.get("usage")
        beside = body.get(rules.usage_beside) if rules.usage_beside and usage is None else None
        if isinstance(beside, dict) and isinstance(beside.get("usage"), dict):
            body["usage"] = beside["usage"]
            return True
        if rules.usage is None or not isinstance(usage, dict):
            return False
        body["usage"] = rules.usage(usage)
        return body["usage"] is not usage

    def _finish(self, choice: JsonObject) -> bool:
        reason = choice.get("finish_reason")
        if not isinstance(reason, str):
            return False
        failure = self._rules.failures.get(reason)
        if failure is not None:
            raise UpstreamError(failure)
        choice["finish_reason"] = self._rules.finish.get(reason, reason)
        return reason in self._rules.finish

    def _content(self, holder: JsonObject) -> bool:
        content = holder.get("content")
        if not self._rules.content_parts or not isinstance(content, list):
            return False
        holder["content"], thinking = parted(content)
        if thinking:
            holder["reasoning_content"] = thinking
        return True

    def _ids(self, holder: JsonObject) -> bool:
        """The caller's own ids for calls that it made itself."""
        ids, calls = self._tool_ids, holder.get("tool_calls")
        changed = False
        for call in calls if ids is not None and isinstance(calls, list) else ():
            if ids is not None and isinstance(call, dict) and isinstance(call.get("id"), str):
                long = ids.long(call["id"])
                changed |= long != call["id"]
                call["id"] = long
        return changed


class HostStreamDecoder(ChatStreamDecoder):
    """Decodes one stream of a host."""

    __slots__ = ("_reader",)

    def __init__(self, reader: HostReader) -> None:
        super().__init__()
        self._reader = reader

    def events(self, data: bytes, body: JsonObject) -> Sequence[Event]:
        """The events of one chunk. A chunk that had to be translated is written anew."""
        return super().events(b"" if self._reader.translate(body, "delta") else data, body)
