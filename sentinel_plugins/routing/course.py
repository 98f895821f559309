"""One request's way through its plan: what the failures so far say about the targets that are left."""

from __future__ import annotations

from sentinel_core.errors import UpstreamError
from sentinel_core.keys import Target
from sentinel_core.model_facts import ModelCatalogue
from sentinel_plugins.routing.causes import is_context_length


class Course:
    """Remembers who failed, and why the rest need not be asked.

    What is wrong with a model of a provider is wrong by each of its keys, unless it was about the key. And a prompt
    that was too long for one model is too long for every model that is known to hold no more.
    """

    __slots__ = ("_asked", "_down", "_facts", "_outgrown", "failed")

    def __init__(self, facts: ModelCatalogue | None) -> None:
        self.failed: dict[Target, UpstreamError] = {}
        self._facts = facts
        self._asked: set[Target] = set()
        self._down: list[Target] = []
        self._outgrown = 0

    def note(self, target: Target, error: UpstreamError) -> None:
        """One target failed."""
        self.failed[target] = error
        if not error.is_about_the_key:
            self._down.append(target)
        if is_context_length(error):
            self._outgrown = max(self._outgrown, self._window(target))

    def note_rival(self, target: Target, error: UpstreamError) -> None:
        """One target failed out of its turn, which is not to come any more."""
        self.note(target, error)
        self._asked.add(target)

    def passes_over(self, target: Target) -> bool:
        """Whether a target that is left would fail as others did."""
        if target in self._asked or any(target.is_twin(other) for other in self._down):
            return True
        return 0 < self._window(target) <= self._outgrown

    def _window(self, target: Target) -> int:
        """How many tokens the model holds; 0 where nobody knows."""
        facts = self._facts.find(target.model) if self._facts is not None else None
        return facts.context_window or 0 if facts is not None else 0
