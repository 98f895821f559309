"""Whether a guard handed on the text and the ends that it was given, however it cut the text into events."""

from __future__ import annotations

from collections import deque

from sentinel_core.messages import Channel, Finish, TextEvent


class SameText:
    """Compares what comes into a stage with what leaves it, lane by lane; holds only what the stage holds back."""

    __slots__ = ("_altered", "_due", "_ends", "_latest")

    def __init__(self) -> None:
        self._latest: TextEvent | None = None
        self._due: dict[tuple[int, Channel, int], deque[str]] = {}
        self._ends: list[tuple[int, str]] = []
        self._altered = False

    @property
    def altered(self) -> bool:
        """Whether another text or end left than came, or less of it. Asked when the stream is over."""
        self._file()
        return self._altered or bool(self._due or self._ends)

    def came(self, event: TextEvent) -> None:
        """The stage was given this."""
        if self._latest is not None:
            self._file()
        self._latest = event

    def left(self, event: TextEvent) -> None:
        """The stage handed this on."""
        if event is self._latest and not self._due:  # as a rule: nothing is held back
            self._latest = None
            return
        self._file()
        text, at = event.text, 0
        due = self._due.get(event.lane)
        while at < len(text) and not self._altered:
            if not due:
                self._altered = True
                return
            first = due.popleft()
            if text.startswith(first, at):
                at += len(first)
            elif first.startswith(text[at:]):
                due.appendleft(first[len(text) - at :])
                return
            else:
                self._altered = True
        if not due:
            self._due.pop(event.lane, None)

    def end_came(self, event: Finish) -> None:
        """The stage was given this end."""
        self._ends.append((event.choice, event.reason))

    def end_left(self, event: Finish) -> None:
        """The stage handed this end on."""
        try:
            self._ends.remove((event.choice, event.reason))
        except ValueError:
            self._altered = True

    def _file(self) -> None:
        """Put what came last behind what is due in its lane."""
        latest, self._latest = self._latest, None
        if latest is not None and latest.text and not self._altered:
            self._due.setdefault(latest.lane, deque()).append(latest.text)
