"""OpenAI's chat requests as Cohere's.

Sources: `V2Client.chat` of cohere-ai/cohere-python 7.3.1, https://docs.cohere.com/reference/chat, and for the bounds of
temperature and penalties https://docs.cohere.com/reference/errors.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.cohere_chat.models import thinks
from sentinel_core.dialects.cohere_chat.tools import tool_fields
from sentinel_core.dialects.cohere_chat.turns import Turns
from sentinel_core.dialects.cohere_chat.words import VENDOR, own_extension
from sentinel_core.dialects.openai_chat.canonical import EXTENSION
from sentinel_core.dialects.openai_chat.only_here import only_here
from sentinel_core.dialects.openai_chat.request import Bound, check_numbers
from sentinel_core.dialects.openai_chat.silent import says_nothing
from sentinel_core.dialects.translation import Translated
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_NUMBERS: tuple[Bound, ...] = (
    ("temperature", (int, float), 0, 2),
    ("top_p", (int, float), 0, 1),
    ("top_k", int, 0, 1_000_000),
    ("frequency_penalty", (int, float), -2, 2),
    ("presence_penalty", (int, float), -2, 2),
)
"""What a client may say: anything else is its mistake."""
_BOUNDED = {
    "temperature": ("temperature", 0, 1),
    "top_p": ("p", 0.01, 0.99),
    "top_k": ("k", 0, 500),
    "frequency_penalty": ("frequency_penalty", 0, 1),
    "presence_penalty": ("presence_penalty", 0, 1),
}
"""What Cohere calls a number, and between which it takes it."""
_SAME = frozenset({"logprobs", "seed", "stream"})
_OWN = frozenset({"citation_options", "documents", "priority", "safety_mode", "strict_tools"})
"""Cohere's fields that a client may set in `extra_content.cohere`. A closed list: any other would be a second place for
something that the gateway has checked in the first."""
_DONE = frozenset(
    {
        *("model", "messages", "max_tokens", "max_completion_tokens", "stream_options"),
        *("tools", "tool_choice", "response_format", "reasoning_effort", EXTENSION),
    }
)
"""Fields that are handled with others, or are for the gateway."""
_STOPS = 5
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": None, "xhigh": None, "max": None}
"""Tokens for thoughts, or as many as it takes, which is what Cohere recommends."""
_FOR_THE_ANSWER = 1000
"""Tokens that Cohere recommends to leave for the answer."""


def request_body(body: JsonMapping, model: str) -> Translated:
    """The request, and the names of what Cohere cannot be told. Raises `Refusal` for what makes no sense."""
    check_numbers(body, _NUMBERS)
    writer = _Writer(body, model)
    made, beside = writer.write(), only_here(body, ("messages.image_url.detail",))
    return Translated(made, tuple(dict.fromkeys([*writer.dropped, *beside])))


class _Writer:
    """Writes one request and notes what it has to leave out."""

    def __init__(self, body: JsonMapping, model: str) -> None:
        self._body = body
        self._model = model
        self._limit = body.get("max_completion_tokens") or body.get("max_tokens")
        self._thinks = thinks(model)
        self.dropped: list[str] = []

    def write(self) -> JsonObject:
        body, thinking = self._body, self._thinking()
        thinks_now = self._thinks and thinking.get("thinking") != {"type": "disabled"}
        result: JsonObject = {"model": self._model}
        result["messages"] = Turns(self.dropped, thinking=thinks_now).write(body["messages"])
        if self._limit is not None:
            result["max_tokens"] = self._limit
        for key, value in body.items():
            if key not in _DONE and not says_nothing(key, value):
                self._field(key, value, result)
        result |= {**thinking, **tool_fields(body, self.dropped), **self._own()}
        return result | self._form(result)

    def _field(self, key: str, value: JsonValue, result: JsonObject) -> None:
        if key in _SAME:
            result[key] = value
        elif key in _BOUNDED:
            name, lowest, highest = _BOUNDED[key]
            result[name] = min(max(value, lowest), highest)
            if result[name] != value:
                self.dropped.append(key)  # told, but not as it was asked
        elif key == "stop":
            self._stop([value] if isinstance(value, str) else value, result)
        else:
            self.dropped.append(key)

    def _stop(self, stops: JsonValue, result: JsonObject) -> None:
        said = [stop for stop in stops if isinstance(stop, str) and stop][:_STOPS] if isinstance(stops, list) else []
        if said:
            result["stop_sequences"] = said
        if said != stops:
            self.dropped.append("stop")

    def _thinking(self) -> JsonObject:
        """How long to think. Where the answer's length is limited, room is left for the answer."""
        effort = self._body.get("reasoning_effort")
        if effort is None or (effort == "none" and not self._thinks):
            return {}
        if effort == "none":
            return {"thinking": {"type": "disabled"}}
        if not self._thinks or not isinstance(effort, str) or effort not in _BUDGETS:
            self.dropped.append("reasoning_effort")
            return {}
        budget = _BUDGETS[effort]
        if budget is None:
            return {"thinking": {"type": "enabled"}}
        if self._limit is not None:
            budget = max(1, min(budget, self._limit - min(_FOR_THE_ANSWER, self._limit // 2)))
        return {"thinking": {"type": "enabled", "token_budget": budget}}

    def _form(self, result: JsonMapping) -> JsonObject:
        """The form of the answer, which Cohere takes neither beside tools nor beside documents."""
        form = self._body.get("response_format")
        kind = form.get("type") if isinstance(form, Mapping) else None
        if form is None or kind == "text":
            return {}
        if kind not in ("json_object", "json_schema") or "tools" in result or "documents" in result:
            self.dropped.append("response_format")
            return {}
        wrapped = form.get("json_schema")
        schema = wrapped.get("schema") if isinstance(wrapped, Mapping) else None
        told = {"json_schema": schema} if kind == "json_schema" and isinstance(schema, Mapping) else {}
        return {"response_format": {"type": "json_object", **told}}

    def _own(self) -> JsonObject:
        """Cohere's own fields that a client may set. The others, and those of other vendors, are named."""
        own = own_extension(self._body)
        self.dropped += [name for name in own if name not in _OWN]
        kept = self._body.get(EXTENSION)
        for vendor, fields in kept.items() if isinstance(kept, Mapping) else ():
            if vendor != VENDOR and isinstance(fields, Mapping):
                self.dropped += fields
        return {name: own[name] for name in own if name in _OWN}
