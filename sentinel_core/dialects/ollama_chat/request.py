"""OpenAI's chat requests as requests of `POST /api/chat`.

Source: `ChatRequest` and `Options` in `api/types.go` of https://github.com/ollama/ollama.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.ollama_chat.turns import Turns
from sentinel_core.dialects.ollama_chat.words import thinking
from sentinel_core.dialects.openai_chat import canonical
from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.dialects.openai_chat.only_here import only_here
from sentinel_core.dialects.openai_chat.request import Bound, check_numbers, invalid
from sentinel_core.dialects.openai_chat.silent import says_nothing
from sentinel_core.dialects.openai_chat.tool_results import numbered
from sentinel_core.dialects.translation import Translated
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_OPTIONS: tuple[Bound, ...] = (
    ("temperature", (int, float), 0, 2),
    ("top_p", (int, float), 0, 1),
    ("top_k", int, 0, 1_000_000),
    ("min_p", (int, float), 0, 1),
    ("seed", int, -(1 << 63), (1 << 63) - 1),
    ("presence_penalty", (int, float), -2, 2),
    ("frequency_penalty", (int, float), -2, 2),
)
"""What has the same name among Ollama's options. The server answers 500 to a wrong type there: it is checked here."""
_OPTION_NAMES = frozenset(name for name, *_ in _OPTIONS)
_DONE = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "tools", "tool_choice"),
        *("max_tokens", "max_completion_tokens"),
    }
)


def request_body(body: JsonMapping, model: str, fixed: JsonMapping, options: JsonMapping, *, think: bool) -> Translated:
    """The request, and the names of what Ollama cannot be told. Raises `Refusal` for what makes no sense.

    `fixed` are members and `options` options of every request; `think` says whether models may be told to think.
    """
    _check(body)
    plain, dropped = canonical.plain_body(body, model)
    writer = _Writer(plain, {**options}, model, think)
    made = {"model": model, "messages": writer.turns(), "stream": bool(body.get("stream")), **fixed}
    made |= writer.fields(top_k=body.get("top_k"))
    # OpenAI's own fields have no `top_k`, and the plain body lost it: Ollama's options have it.
    left_out = (name for name in (*dropped, *writer.dropped, *only_here(body)) if name != "top_k")
    return Translated(made, tuple(dict.fromkeys(left_out)))


class _Writer:
    """Writes one request and notes what it has to leave out."""

    def __init__(self, body: JsonMapping, options: JsonObject, model: str, think: bool) -> None:
        self._body = body
        self._options = options
        self._model = model
        self._think = think
        self._turns = Turns()
        self._made: JsonObject = {}

    @property
    def dropped(self) -> list[str]:
        """The names of what was left out."""
        return self._turns.dropped

    def turns(self) -> list[JsonObject]:
        """The conversation, with its thoughts."""
        return [
            self._turns.turn(message, _thought(message), index) for index, message in numbered(self._body["messages"])
        ]

    def fields(self, *, top_k: int | None) -> JsonObject:
        """All other members."""
        body = self._body
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if limit is not None:
            self._options["num_predict"] = limit
        if top_k is not None:
            self._options["top_k"] = top_k
        self._tools(body.get("tools") or (), body.get("tool_choice"))
        for key, value in body.items():
            # An option is told even so: the server's model may have another value of its own.
            if value is not None and key not in _DONE and (key in _OPTION_NAMES or not says_nothing(key, value)):
                self._field(key, value)
        if self._options:
            self._made["options"] = self._options
        return self._made

    def _field(self, key: str, value: JsonValue) -> None:
        if key in _OPTION_NAMES:
            self._options[key] = value
        elif key == "stop":
            self._stop([value] if isinstance(value, str) else value)
        elif key in ("logprobs", "top_logprobs"):
            self._made[key] = value
        elif key == "response_format":
            self._form(value)
        elif key == "reasoning_effort":
            self._effort(value)
        else:
            self.dropped.append(key)

    def _effort(self, effort: str) -> None:
        think = thinking(effort, self._model)
        if think is None or (think and not self._think):
            self.dropped.append("reasoning_effort")
        else:
            self._made["think"] = think

    def _stop(self, stops: list[JsonValue]) -> None:
        said = [stop for stop in stops if isinstance(stop, str) and stop]
        if len(said) < len(stops):
            self.dropped.append("stop")
        if said:
            self._options["stop"] = said

    def _form(self, form: JsonValue) -> None:
        """`json`, or the schema itself. The server holds every answer to its schema, strict or not."""
        kind = form.get("type") if isinstance(form, Mapping) else None
        wrapped = form.get("json_schema") if isinstance(form, Mapping) else None
        schema = wrapped.get("schema") if isinstance(wrapped, Mapping) else None
        if kind == "json_schema" and isinstance(schema, Mapping):
            self._made["format"] = schema
        elif kind in ("json_object", "json_schema"):
            self._made["format"] = "json"
        elif kind != "text":
            self.dropped.append("response_format")

    def _tools(self, tools: JsonValue, choice: JsonValue) -> None:
        """This API lets its models choose freely: no call at all is said by no tools, and other choices not at all."""
        if choice not in (None, "auto", "none"):
            self.dropped.append("tool_choice")
        made = [made for made in map(self._tool, tools) if made is not None] if choice != "none" else []
        if made:
            self._made["tools"] = made

    def _tool(self, tool: JsonMapping) -> JsonObject | None:
        function = tool.get("function")
        if not isinstance(function, Mapping):
            self.dropped.append(f"tools.{tool.get('type')}")
            return None
        if function.get("strict"):
            self.dropped.append("tools.strict")
        made = {key: function[key] for key in ("name", "description") if function.get(key) is not None}
        made["parameters"] = function.get("parameters") or {"type": "object", "properties": {}}
        return {"type": "function", "function": made}


def _thought(message: JsonMapping) -> JsonValue:
    """What the assistant thought before this message, under the first of its names."""
    return next((message[key] for key in REASONING_KEYS if message.get(key)), None)


def _check(body: JsonMapping) -> None:
    """Refuse what the canonical form does not promise and the writer relies on."""
    check_numbers(body, _OPTIONS)
    for name, kinds in (("stop", str | list), ("reasoning_effort", str)):
        if not isinstance(body.get(name), kinds | None):
            raise invalid(name, f"The parameter {name!r} has a value of a type that is not allowed.")
    _check_objects(body.get("tools"), "tools")
    for index, message in enumerate(body["messages"]):
        if not isinstance(message.get("content"), str):
            _check_objects(message.get("content"), f"messages[{index}].content")


def _check_objects(items: JsonValue, param: str) -> None:
    if items is not None and not (isinstance(items, list) and all(isinstance(item, Mapping) for item in items)):
        raise invalid(param, f"The parameter {param!r} must be a list of objects.")
