"""The log probabilities of a stream whose text leaves otherwise than it came."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue


class HeldLogprobs:
    """Holds the entries of a choice's tokens as long as a stage holds their text.

    An entry leaves once all of its token has left. Where the text was replaced, those that spell out the old one are
    dropped.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[int, tuple[deque[JsonValue], str]] = {}  # entries, and what has been said of the first one

    def said(self, choice: int, logprobs: JsonMapping | None, text: str) -> JsonObject | None:
        """The log probabilities of what is said now, `text`, where these came with it."""
        entries, begun = self._held.pop(choice, (deque(), ""))
        came = logprobs.get("content") if logprobs is not None else None
        entries.extend(came if isinstance(came, list) else ())
        said, at = begun + text, 0
        gone: list[JsonValue] = []
        while entries and said.startswith(token := _token(entries[0]), at):
            at += len(token)
            gone.append(entries.popleft())
        if entries and _token(entries[0]).startswith(said[at:]):
            self._held[choice] = entries, said[at:]
        return {**(logprobs or {"refusal": None}), "content": gone} if gone else None


def _token(entry: JsonValue) -> str:
    """What an entry is of; of one that is none, what stands in no text."""
    token = entry.get("token") if isinstance(entry, Mapping) else None
    return token if isinstance(token, str) and token else "\0"
