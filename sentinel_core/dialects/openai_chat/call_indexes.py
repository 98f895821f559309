"""Which tool call of a choice a fragment belongs to."""

from __future__ import annotations


class CallIndexes:
    """The indexes of one choice's calls in a stream.

    The format counts the calls, and each fragment says the index of its own. Some upstreams leave the indexes out, as
    Gemini's compatible endpoint does, and some give all calls the same one (InternLM/lmdeploy #3412): there a new id
    beside a name begins the next call. An id alone does not: others write a new one in the middle (poolsideai/pool #9).
    """

    __slots__ = ("_at", "_identified", "_last", "_taken")

    def __init__(self) -> None:
        self._at: dict[tuple[int | None, str | None], int] = {}  # by the upstream's index and id, or its index alone
        self._identified: set[int] = set()
        self._taken: set[int] = set()
        self._last = -1

    def of(self, given: int | None, identifier: str | None, name: str | None) -> int:
        """The index of the call that a fragment with this index of the upstream's, this id and this name is of."""
        at = self._at.get((given, identifier))
        if at is None:
            at = self._at.get((given, None))
            if at is None or (name and at in self._identified):
                at = self._free(given)
        elif given is None and identifier is None and name:
            at = self._free(None)
        if identifier is not None and at not in self._identified:
            self._identified.add(at)
            self._at[given, identifier] = at
        self._at[given, None] = self._at[None, None] = at  # without an index, the last call goes on
        self._at.setdefault((at, None), at)
        return at

    def _free(self, given: int | None) -> int:
        """The index for a new call: the upstream's own, if no other call has it."""
        found = given if given is not None and given not in self._taken else self._last + 1
        self._taken.add(found)
        self._last = max(self._last, found)
        return found
