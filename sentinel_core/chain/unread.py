"""What text guards cannot judge: the parts of requests and replies that are no text (H50)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.chain.entry import Entry
from sentinel_core.chain.verdicts import Direction
from sentinel_core.errors import Refusal

if TYPE_CHECKING:
    from sentinel_core.chain.exchange import Exchange

_MESSAGES: dict[Direction, str] = {
    "request": "The request holds images, sound, files, numbers of tokens or what a provider keeps. None is read here.",
    "response": "The reply holds images or sound, which are not read here.",
}


def judge_unread(exchange: Exchange, entry: Entry, direction: Direction) -> None:
    """Note that this guard will see a part only. Raises `Refusal` where its table says to block that."""
    if entry.reads_all:
        return
    if entry.unscannable == "block" and entry.mode == "enforce":
        exchange.verdicts.note(entry, direction, "blocked")
        raise Refusal("content_policy_violation", _MESSAGES[direction])
    exchange.ctx.note_unread(entry.name)
