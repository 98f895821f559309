"""What one stage was given of a stream, what it handed on, and the verdict that follows."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sentinel_core.chain.entry import Entry
from sentinel_core.chain.faults import WrongResult, as_fault, is_fault
from sentinel_core.chain.same_text import SameText
from sentinel_core.chain.verdicts import Verdicts, chars_of
from sentinel_core.errors import Refusal, StageFault
from sentinel_core.events import TEXTS, Event, Finish, Look, Opaque
from sentinel_core.keys import VerdictResult


def no_event(given: object) -> WrongResult | None:
    """What is wrong with something that an `on_stream` hands on; None with an event."""
    return None if isinstance(given, Event) else WrongResult(f"on_stream must give events, got {type(given).__name__}")


def iterated(given: object) -> AsyncIterator[Event]:
    """What an `on_stream` returned, to be iterated. Raises `WrongResult` where it cannot be."""
    if not hasattr(given, "__aiter__"):
        raise WrongResult(f"on_stream must return an async iterator, got {type(given).__name__}")
    events: AsyncIterator[Event] = given.__aiter__()
    return events


def noting(event: Event) -> Event:
    """The event as one stage is given it: one that has strings outside the channels notes whether they are read."""
    if not isinstance(event, Opaque) or not event.slots:
        return event
    return Opaque(
        choice=event.choice,
        frame=event.frame,
        part=event.part,
        changed=event.changed,
        slots=event.slots,
        patches=event.patches,
        look=Look(),
        ends=event.ends,
        goes_on=event.goes_on,
    )


def was_looked_at(event: Opaque) -> bool:
    """Whether the stage that was given this event looked at its strings; one that it made itself counts as read."""
    return event.look is None or event.look.taken


class Passage:
    """One stage's passage of one stream.

    `ended` is whether the stage was given all of it, `released` how many characters it handed on, `text` whether these
    are what it was given. What an earlier stage changed outside of texts is none of this one's doing, where it hands on
    the very event.
    """

    __slots__ = ("_before", "_changed", "_entry", "_unread", "_verdicts", "ended", "released", "text")

    def __init__(self, entry: Entry, verdicts: Verdicts) -> None:
        self.ended = False
        self._entry = entry
        self._verdicts = verdicts
        self.text = SameText()
        self.released = 0
        self._before: dict[int, Event] = {}  # those that had been changed when they came
        self._changed = False
        self._unread = False

    def came(self, event: Event) -> Event:
        """The event as the stage is given it."""
        if isinstance(event, TEXTS):
            self.text.came(event)
            return event
        if isinstance(event, Finish):
            self.text.end_came(event)
        given = noting(event)
        if given.changed:
            self._before[id(given)] = given
        return given

    def left(self, event: Event) -> None:
        """The stage hands this on. Raises `Refusal` where nobody looked at it and that must not pass, and `StageFault`
        where it is no event."""
        if isinstance(event, TEXTS):
            self.released += len(event.text)
            self.text.left(event)
            return
        if (wrong := no_event(event)) is not None:
            raise self.failure(wrong)
        if isinstance(event, Finish):
            self.text.end_left(event)
        if isinstance(event, Opaque):
            if not self._was_read(event):
                self._unread = True
                if self._entry.unscannable == "block":
                    self._note("blocked")
                    raise Refusal("content_policy_violation")
            self.released += chars_of(event.slots)
        if event.changed and self._before.pop(id(event), None) is None:
            self._changed = True

    def conclude(self) -> None:
        """State the verdict, once the stream is over."""
        if not self.ended:
            self._note("partial")
        elif self._changed or self.text.altered:
            self._note("masked")
        else:
            self._note("partial" if self._unread else "allowed")

    def late(self) -> StageFault:
        """The fault of a stage that took too long."""
        self._note("error")
        return as_fault(self._entry, "on_stream", TimeoutError(), "took too long")

    def failure(self, exc: BaseException, *, timed_out: bool = False) -> BaseException:
        """What to raise for an exception out of the stage's own code: itself, or the fault that it is."""
        if isinstance(exc, Refusal):
            self._note("blocked")
            return exc
        if timed_out or is_fault(exc):
            self._note("error")
            late = timed_out or isinstance(exc, TimeoutError)
            return as_fault(self._entry, "on_stream", exc, "took too long" if late else "raised")
        return exc

    def _note(self, result: VerdictResult) -> None:
        self._verdicts.note(self._entry, "response", result, self.released, unread=self._unread)

    def _was_read(self, event: Opaque) -> bool:
        """Whether the stage looked at all of it, as far as that is text."""
        if event.goes_on or (event.slots and not was_looked_at(event)):
            return False
        return self._entry.reads_all or not event.unreadable
