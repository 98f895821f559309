"""A conversation as `contents`: turns of `user` and `model` by turns, and what the system says beside them.

Source: https://ai.google.dev/api/caching#Content and .../gemini-api/docs/function-calling.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.decoding import JsonLimits, decode_json
from sentinel_core.dialects.google_gemini.models import Abilities
from sentinel_core.dialects.google_gemini.parts import parts_of
from sentinel_core.dialects.google_gemini.signatures import sign_current_turn, signature_of
from sentinel_core.dialects.openai_chat.arguments import arguments_of
from sentinel_core.dialects.openai_chat.canonical import FAILED, result_names
from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_SYSTEM = frozenset({"system", "developer"})
_LIMITS = JsonLimits(max_bytes=64 * 1024 * 1024)


class Turns:
    """Takes messages in their order. What cannot be said is named in `dropped`."""

    def __init__(self, can: Abilities, dropped: list[str]) -> None:
        self.system: list[JsonObject] = []
        self._contents: list[JsonObject] = []
        self._can = can
        self._dropped = dropped
        self._called: dict[str, str] = {}  # the name of the tool, by the id of its call

    def add(self, message: JsonMapping, index: int) -> None:
        """Take one message. Raises `Refusal` for one that makes no sense."""
        role = message["role"]
        if role in _SYSTEM:
            self._instruct(message)
        elif role == "user":
            self._put("user", parts_of(message.get("content"), self._dropped))
        elif role == "assistant":
            self._put("model", self._assistant(message, index))
        elif role == "tool":
            self._put("user", self._result(message, index))
        else:
            raise invalid(f"messages[{index}].role", f"The model's API knows no role {role!r}.")

    def finish(self) -> list[JsonObject]:
        """The contents. Raises `Refusal` where nobody said anything."""
        if not self._contents:
            raise invalid("messages", "The model's API needs a message of a user that says something.")
        if self._can.signatures:
            sign_current_turn(self._contents)
        return self._contents

    def _put(self, role: str, parts: list[JsonObject]) -> None:
        """Neighbours of one role are one turn: results of parallel calls must be."""
        if self._contents and self._contents[-1]["role"] == role:
            self._contents[-1]["parts"] += parts
        elif parts:
            self._contents.append({"role": role, "parts": parts})

    def _instruct(self, message: JsonMapping) -> None:
        for part in parts_of(message.get("content"), self._dropped):
            if "text" in part:
                self.system.append(part)
            else:
                self._dropped.append("messages.system")

    def _assistant(self, message: JsonMapping, index: int) -> list[JsonObject]:
        """What the model said, with its signature, and which tools it called. Thoughts are not sent back: Google
        wants their signatures only."""
        said = parts_of(message.get("content") or message.get("refusal"), self._dropped)
        said += _images(message.get("images"))
        signed = signature_of(message)
        if signed and said:
            said[-1] |= signed
        elif signed:
            said = [{"text": "", **signed}]
        calls = message.get("tool_calls") or ()
        return said + [self._call(call, f"messages[{index}].tool_calls[{n}]") for n, call in enumerate(calls)]

    def _call(self, call: JsonMapping, param: str) -> JsonObject:
        """A call as a part. Raises `Refusal` for arguments that are no JSON object: the API takes nothing else."""
        function = call.get("function")
        if function is None or function.get("name") is None:
            raise invalid(param, "A tool call must name a function.")
        made: JsonObject = {"name": function["name"], "args": arguments_of(function, param)}
        if call.get("id") is not None:
            self._called[call["id"]] = function["name"]
            made = {"id": call["id"], **made}
        return {"functionCall": made, **signature_of(call)}

    def _result(self, message: JsonMapping, index: int) -> list[JsonObject]:
        """The result of a call, under the name of its tool. A JSON object is the result itself, all else is its
        `output`; where the tool failed, either is the `error`. Images are part of it, or stand beside it for models
        that do not take them there."""
        identifier = message.get("tool_call_id")
        name = self._called.get(identifier or "")
        if name is None:
            raise invalid(f"messages[{index}].tool_call_id", "No call before this result has its id.")
        parts = parts_of(message.get("content"), self._dropped)
        text = "\n".join(part["text"] for part in parts if "text" in part)
        media = [part for part in parts if "text" not in part]
        said, beside = _object(text), result_names(message)
        self._dropped += [name for name in beside if name != FAILED]
        if FAILED in beside:
            said = {"error": text if said is None else said}
        response = {"id": identifier, "name": name, "response": {"output": text} if said is None else said}
        if not media or not self._can.media_results:
            return [{"functionResponse": response}, *media]
        return [{"functionResponse": {**response, "parts": media}}]


def _images(images: JsonValue) -> list[JsonObject]:  # a field of the gateway's own making
    """Pictures that the model made, to be shown to it again."""
    found = images if isinstance(images, list) else ()
    return parts_of([one for one in found if isinstance(one, Mapping) and _is_image(one)], [])


def _is_image(item: JsonMapping) -> bool:
    image = item.get("image_url")
    return item.get("type") == "image_url" and isinstance(image, Mapping) and isinstance(image.get("url"), str)


def _object(text: str) -> JsonObject | None:
    """The JSON object that a text is; None for every other text."""
    if text.lstrip()[:1] != "{":
        return None
    try:
        value = decode_json(text.encode(), _LIMITS)
    except Refusal:
        return None
    return value if isinstance(value, dict) else None
