"""Whether a guard handed on the text that it was given, however it cut it into events."""

from __future__ import annotations

from collections import deque

from sentinel_core.messages import Channel, TextEvent


class SameText:
    """Compares what comes into a stage with what leaves it, lane by lane; holds only what the stage holds back."""

    __slots__ = ("_altered", "_due", "_latest")

    def __init__(self) -> None:
        self._latest: TextEvent | None = None
        self._due: dict[tuple[int, Channel, int], deque[str]] = {}
        self._altered = False

    @property
    def altered(self) -> bool:
        """Whether another text left than came, or less of it. Asked when the stream is over."""
        self._file()
        return self._altered or bool(self._due)

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

    def _file(self) -> None:
        """Put what came last behind what is due in its lane."""
        latest, self._latest = self._latest, None
        if latest is not None and latest.text and not self._altered:
            self._due.setdefault(latest.lane, deque()).append(latest.text)
