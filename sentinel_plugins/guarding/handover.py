"""What the first of the guards that look together tells the next one about a stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

import msgspec

from sentinel_core.events import TextEvent
from sentinel_core.keys import Key
from sentinel_plugins.guarding.known import Known
from sentinel_plugins.guarding.merge import Cluster
from sentinel_plugins.guarding.policy import Policy


class Mark(msgspec.Struct, frozen=True):
    """A value in a text that leaves, `text[start:end]`. It is whole; where it is `gone`, that is what stands for it."""

    start: int
    end: int
    cluster: Cluster
    gone: bool = False


class Handover:
    """The texts that one guard lets go of, and the values in them that are for another to replace: it looked for both,
    so the other need not look again, but where something was put into the text.

    That holds for the very events that were put here, in their order. Once another one comes, or one is missing, some
    stage between the two changes texts, and nothing is said about them any more.
    """

    __slots__ = ("_events", "_policies", "_taken", "known")

    def __init__(self, policies: Collection[Policy], known: Known) -> None:
        """For the guards with these policies. They find what is `known` of the stream, too, and add to it."""
        self.known = known
        self._policies = policies
        self._events: deque[tuple[TextEvent, Sequence[Mark] | None]] = deque()
        self._taken = False

    def is_for(self, policy: Policy) -> bool:
        """Whether the guard with this policy is one of those."""
        return policy in self._policies

    def take(self, policy: Policy) -> bool:
        """Whether it is for the guard with this policy, which then asks about every event. One guard can take it, and
        none whose values may go on beyond what was found: it drops the rest of such a value itself."""
        if self._taken or policy.overlong or not self.is_for(policy):
            return False
        self._taken = True
        return True

    def put(self, event: TextEvent, marks: Sequence[Mark] | None) -> None:
        """What leaves next. Without marks, the other guard has to look for itself."""
        if self._taken:
            self._events.append((event, marks))

    def marks(self, event: TextEvent) -> Sequence[Mark] | None:
        """Of the next event; None where that has to be searched."""
        if self._events:
            expected, marks = self._events.popleft()
            if expected is event:
                return marks
        self._events.clear()
        self._taken = False
        return None


HANDOVER: Key[Handover] = Key("handover")
"""Written by the first guard that a reply meets of those that replace values together."""
