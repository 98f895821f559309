"""OpenAI's chat requests as requests of `generateContent`.

Source: https://ai.google.dev/api/generate-content; `GenerateContentConfig` of google-genai's `types.py`. The model and
whether to stream are in the address, not in the body.
"""

from __future__ import annotations

from sentinel_core.dialects.google_gemini.models import Abilities, abilities
from sentinel_core.dialects.google_gemini.thinking import thinking_config
from sentinel_core.dialects.google_gemini.tools import tool_fields
from sentinel_core.dialects.google_gemini.turns import Turns
from sentinel_core.dialects.google_gemini.words import EXTENSION
from sentinel_core.dialects.openai_chat.canonical import extension_names
from sentinel_core.dialects.openai_chat.only_here import only_here
from sentinel_core.dialects.openai_chat.silent import says_nothing
from sentinel_core.dialects.translation import Translated
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_SAME = {"temperature": "temperature", "top_p": "topP", "top_k": "topK"}
_PENALTIES = {"frequency_penalty": "frequencyPenalty", "presence_penalty": "presencePenalty"}
_TIERS = {"flex": "flex", "priority": "priority", "default": "standard"}
_UNSAID = frozenset({"n", "logprobs"})
"""Fields that are left out where they ask for what happens anyway; others are sent even so where they have a place."""
_ELSEWHERE = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "top_logprobs"),
        *("tools", "tool_choice", "parallel_tool_calls", EXTENSION),
    }
)
"""Fields that are handled with others."""
_STOPS = 5
_SEEDS = range(-(1 << 31), 1 << 31)
"""A seed is of 32 bits."""


def request_body(body: JsonMapping, model: str) -> Translated:
    """The request, and the names of what Google cannot be told. Raises `Refusal` for messages that make no sense."""
    writer = _Writer(body, model)
    return Translated(writer.write(), tuple(dict.fromkeys(writer.dropped)))


class _Writer:
    """Writes one request and notes what it has to leave out."""

    def __init__(self, body: JsonMapping, model: str) -> None:
        self._body = body
        self._can: Abilities = abilities(model)
        self._takes_forms = True
        self._config: JsonObject = {}
        self._beside: JsonObject = {}
        self.dropped: list[str] = []

    def write(self) -> JsonObject:
        body = self._body
        turns = Turns(self._can, self.dropped)
        for index, message in enumerate(body["messages"]):
            turns.add(message, index)
        result: JsonObject = {"systemInstruction": {"parts": turns.system}} if turns.system else {}
        result["contents"] = turns.finish()
        tools = tool_fields(body, self.dropped)
        self._takes_forms = self._can.json_with_tools or not tools
        result |= tools
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if limit is not None:
            self._config["maxOutputTokens"] = limit
        for key, value in body.items():
            if value is not None and key not in _ELSEWHERE and not (key in _UNSAID and says_nothing(key, value)):
                self._field(key, value)
        self.dropped += [*extension_names(body.get(EXTENSION)), *only_here(body, ("messages.images",))]
        if self._config:
            result["generationConfig"] = self._config
        return result | self._beside

    def _field(self, key: str, value: JsonValue) -> None:
        if key in _SAME:
            self._config[_SAME[key]] = value
        elif key in _PENALTIES and self._can.penalties:
            self._config[_PENALTIES[key]] = value
        elif key == "stop":
            self._stop([value] if isinstance(value, str) else value)
        elif key == "seed" and value in _SEEDS:
            self._config["seed"] = value
        elif key == "n":
            self._config["candidateCount"] = value
        elif key == "logprobs":
            self._logprobs()
        elif key == "reasoning_effort":
            self._think(value)
        elif key == "response_format":
            self._form(value)
        elif key == "store":
            self._beside["store"] = value
        elif key == "service_tier" and value in _TIERS:
            self._beside["serviceTier"] = _TIERS[value]
        elif not says_nothing(key, value):
            self.dropped.append(key)

    def _stop(self, stops: list[str]) -> None:
        said = [stop for stop in stops if stop][:_STOPS]
        if len(said) < len(stops):
            self.dropped.append("stop")
        if said:
            self._config["stopSequences"] = said

    def _logprobs(self) -> None:
        self._config["responseLogprobs"] = True
        if self._body.get("top_logprobs"):
            self._config["logprobs"] = self._body["top_logprobs"]

    def _think(self, effort: str) -> None:
        config, exact = thinking_config(effort, self._can)
        if config:
            self._config["thinkingConfig"] = config
        if not exact:
            self.dropped.append("reasoning_effort")

    def _form(self, form: JsonMapping) -> None:
        """The form of the answer, which older models take beside no tools. Google holds to a schema always, so `strict`
        says nothing."""
        if form["type"] == "text":
            return
        if form["type"] not in ("json_object", "json_schema") or not self._takes_forms:
            self.dropped.append("response_format")
            return
        self._config["responseMimeType"] = "application/json"
        schema = (form.get("json_schema") or {}).get("schema")
        if schema is not None:
            self._config["responseJsonSchema"] = schema
