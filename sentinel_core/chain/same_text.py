"""Whether a guard handed on the text and the ends that it was given, however it cut the text into events."""

from __future__ import annotations

from collections import deque

from sentinel_core.events import Channel, Finish, TextEvent

_SHORT = 256
"""Characters up to which what is due is put together: then most of what leaves is in one piece."""


class SameText:
    """Compares what comes into a stage with what leaves it, lane by lane; holds only what the stage holds back: what is
    `due` of each lane, and the `latest` event, as long as it is not told where that belongs."""

    __slots__ = ("_altered", "_ends", "due", "latest")

    def __init__(self) -> None:
        self.latest: TextEvent | None = None
        self.due: dict[tuple[int, Channel, int], deque[str]] = {}
        self._ends: list[tuple[int, str]] = []
        self._altered = False

    @property
    def altered(self) -> bool:
        """Whether another text or end left than came, or less of it. Asked when the stream is over."""
        self._file()
        return self._altered or bool(self.due or self._ends)

    def came(self, event: TextEvent) -> None:
        """The stage was given this."""
        if self.latest is not None:
            self._file()
        self.latest = event

    def left(self, event: TextEvent) -> None:
        """The stage handed this on."""
        if event is self.latest and not self.due:  # as a rule: nothing is held back
            self.latest = None
            return
        self._file()
        lane = event.lane
        due, text = self.due.get(lane), event.text
        if due and due[0].startswith(text):  # as a rule, where something is
            due[0] = due[0][len(text) :]
            if not due[0]:
                due.popleft()
        elif text and not self._altered:
            self._altered = not _taken(text, due)
        if not due:
            self.due.pop(lane, None)

    def passed(self, came: TextEvent, left: TextEvent) -> None:
        """The stage was given the one, and handed the other on before anything else came."""
        lane, text = came.lane, left.text
        due = self.due.get(lane)
        if self.latest is None and due is not None and len(due) == 1 and len(due[0]) < _SHORT and left.lane == lane:
            said = due[0] + came.text
            if len(said) > len(text) and said.startswith(text):  # as a rule, where some of a word is
                due[0] = said[len(text) :]
                return
        self.came(came)
        self.left(left)

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
        latest, self.latest = self.latest, None
        if latest is None or not latest.text or self._altered:
            return
        due = self.due.get(latest.lane)
        if due is None:
            self.due[latest.lane] = deque((latest.text,))
        elif len(due[-1]) < _SHORT:
            due[-1] += latest.text
        else:
            due.append(latest.text)


def _taken(text: str, due: deque[str] | None) -> bool:
    """Take a text off what is due; whether it was that, or the beginning of it."""
    at = 0
    while at < len(text):
        if not due:
            return False
        first = due.popleft()
        if text.startswith(first, at):
            at += len(first)
        elif first.startswith(text[at:]):
            due.appendleft(first[len(text) - at :])
            return True
        else:
            return False
    return True
