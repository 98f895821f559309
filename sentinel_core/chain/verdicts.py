"""What each guard did, as the chain saw it; no guard states its own verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from sentinel_core.chain.entry import Entry
from sentinel_core.context import Context
from sentinel_core.keys import Key, Verdict, VerdictResult
from sentinel_core.messages import Answer, Request, TextSlot

Direction = Literal["request", "response"]
Released: TypeAlias = int | Answer | Request

LEFT_EARLY: Key[frozenset[str]] = Key("left_early")
"""The guards that stopped reading a whole answer before its end; written where that answer was taken apart for them."""

FAILED_OPEN: Key[frozenset[str]] = Key("failed_open")
"""The guards that failed on a stream that was collected for them, and may fail open; written where it was collected."""


class Verdicts:
    """The verdicts of one exchange, one per guard and direction. Guards that were not asked did not evaluate.

    Of a guard that found something and let it pass, `allowed` becomes `monitored` in the direction in which it said so.
    Of one that did not read everything, `allowed` becomes `partial`; what else it is stays that, and is `unread`.
    """

    __slots__ = ("_ctx", "_results", "_unread")

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._results: dict[tuple[int, Direction], tuple[VerdictResult, Released]] = {}
        self._unread: set[tuple[int, Direction]] = set()

    def note(
        self, entry: Entry, direction: Direction, result: VerdictResult, released: Released = 0, *, unread: bool = False
    ) -> None:
        """State one verdict, and whether a part was not read. A refusal or a fault is not overwritten by what comes
        after it.

        `released` is characters, or what was released, counted only if somebody asks.
        """
        ctx, place = self._ctx, (entry.position, direction)
        if direction == "request" and (ctx.findings or ctx.unread):
            unread = unread or entry.name in ctx.unread
            result = self._asked(entry.name, result)
        if unread:
            self._unread.add(place)
        held = self._results.get(place)
        if held is None or held[0] not in ("blocked", "error"):
            self._results[place] = (result, released)

    def _asked(self, guard: str, result: VerdictResult) -> VerdictResult:
        """What a request's `allowed` comes to, with what the guard noted; that is said with it."""
        ctx = self._ctx
        if guard in ctx.findings:
            ctx.findings.discard(guard)
            result = "monitored" if result == "allowed" else result
        if guard in ctx.unread:
            ctx.unread -= {guard}
            result = "partial" if result == "allowed" else result
        return result

    def all(self, guards: Iterable[tuple[Entry, bool, bool]]) -> tuple[Verdict, ...]:
        """Every guard's verdicts; `guards` says for each whether it reads requests and whether it reads replies."""
        found: list[Verdict] = []
        for entry, reads_requests, reads_replies in guards:
            if reads_requests:
                found.append(self._one(entry, "request"))
            if reads_replies:
                found.append(self._one(entry, "response"))
        return tuple(found)

    def _one(self, entry: Entry, direction: Direction) -> Verdict:
        result, released = self._results.get((entry.position, direction), ("not_evaluated", 0))
        unread = (entry.position, direction) in self._unread
        if direction == "response" and result in ("allowed", "masked", "partial"):
            unread = unread or entry.name in self._ctx.unread
            result = self._qualified(entry.name, result)
        unread = unread or result == "partial"
        return Verdict(entry.name, direction, result, _chars(released), entry.mode == "enforce", unread)

    def _qualified(self, guard: str, result: VerdictResult) -> VerdictResult:
        """What `allowed`, `masked` or `partial` comes to, with what was noted meanwhile."""
        if guard in self._ctx.get(FAILED_OPEN, frozenset()):
            return "error"
        if guard in self._ctx.get(LEFT_EARLY, frozenset()) or (result == "allowed" and guard in self._ctx.unread):
            return "partial"
        return "monitored" if result == "allowed" and guard in self._ctx.findings else result


def _chars(released: Released) -> int:
    return released if isinstance(released, int) else chars_of(released.texts())


def chars_of(slots: Iterable[TextSlot]) -> int:
    """What `released_chars` counts of these."""
    return sum(len(slot.text) for slot in slots if slot.kind != "key")
