"""The log probabilities of a stream whose text leaves otherwise than it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HeldLogprobs:
    """Holds the entries of a choice's tokens as long as a stage holds their text.

    An entry leaves once all of its token has left. Where the text was replaced, those that spell out the old one are
    dropped.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[int, tuple[list[Any], str]] = {}  # entries, and what has been said of the first one: JSON

    def said(self, choice: int, logprobs: Mapping[str, Any] | None, text: str) -> dict[str, Any] | None:  # JSON
        """The log probabilities of what is said now, `text`, where these came with it."""
        held, begun = self._held.get(choice, ([], ""))
        came = logprobs.get("content") if logprobs is not None else None
        entries, said = [*held, *(came if isinstance(came, list) else ())], begun + text
        gone = 0
        while gone < len(entries) and said.startswith(_token(entries[gone])):
            said = said[len(_token(entries[gone])) :]
            gone += 1
        left = entries[gone:]
        goes_on = bool(left) and _token(left[0]).startswith(said)
        self._held[choice] = (left, said) if goes_on else ([], "")
        return {**(logprobs or {"refusal": None}), "content": entries[:gone]} if gone else None


def _token(entry: Any) -> str:  # JSON
    """What an entry is of; of one that is none, what stands in no text."""
    token = entry.get("token") if isinstance(entry, Mapping) else None
    return token if isinstance(token, str) and token else "\0"
