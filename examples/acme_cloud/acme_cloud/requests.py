"""OpenAI's chat requests as Acme's: `{"voice": …, "turns": [{"by": …, "says": …}], "at_most": …, "live": …}`."""

from __future__ import annotations

from sentinel_core.dialects.translation import Translated
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_SPEAKERS = {"system": "director", "developer": "director", "user": "guest", "assistant": "host"}
_NAMES = {"max_tokens": "at_most", "max_completion_tokens": "at_most", "temperature": "warmth"}
_TURN = frozenset({"role", "content"})
_UNSAID = frozenset({"model", "messages", "stream", "stream_options"})
"""What the loop below need not name: said otherwise, or for the gateway."""


def acme_request(body: JsonMapping, model: str) -> Translated:
    """The request, and the names of what Acme cannot be told: the gateway names them to the client."""
    said: JsonObject = {"voice": model, "turns": [], "live": bool(body.get("stream"))}
    dropped: list[str] = []
    for message in body["messages"]:
        speaker = _SPEAKERS.get(message["role"])
        if speaker is None:  # the result of a tool, which Acme has none of
            dropped.append(f"messages.{message['role']}")
            continue
        said["turns"].append({"by": speaker, "says": _text(message.get("content"), dropped)})
        dropped += [f"messages.{key}" for key, value in message.items() if key not in _TURN and value is not None]
    for name, value in body.items():
        if value is None:  # says no more than if it were not there
            continue
        if name in _NAMES:
            said[_NAMES[name]] = value
        elif name not in _UNSAID:
            dropped.append(name)
    return Translated(said, tuple(dict.fromkeys(dropped)))


def _text(content: JsonValue, dropped: list[str]) -> str:  # a string, a list of parts, or null
    if not isinstance(content, list):
        return content or ""
    dropped += [f"messages.{part['type']}" for part in content if part["type"] != "text"]
    return "".join(part.get("text") or "" for part in content if part["type"] == "text")
