"""The last step of a reply: the caller's own values stand in it again."""

from __future__ import annotations

from collections.abc import Collection

from sentinel_core.events import TextEvent, ToolCallDelta
from sentinel_core.messages import Answer, Request, TextSlot
from sentinel_plugins.guarding.form import json_kinds
from sentinel_plugins.guarding.redaction import Text
from sentinel_plugins.guarding.streaming import Lanes
from sentinel_plugins.pii.restoring import restored
from sentinel_plugins.pii.targets import Targets
from sentinel_plugins.pii.vault import Vault

_TEXTS: Collection[str] = ("content", "reasoning", "refusal")


class Restoring:
    """Puts the values of one request back into its reply: content, reasoning, refusals and tool arguments."""

    def __init__(self, vault: Vault, request: Request) -> None:
        self._texts = _Texts(vault, request)
        self._lanes = Lanes(self._texts.of_event)  # of another object, so that no cycle keeps the vault

    def answer(self, answer: Answer) -> Answer:
        """The answer to hand to the caller. Each text stays in its place, as each block of a stream does."""
        slots = [slot for slot in answer.texts() if slot.kind in _TEXTS]
        changes = {slot.path: self._texts.of(_choice(slot), slot.kind).feed(slot.text, end=True) for slot in slots}
        answer = answer.restored({slot.path: changes[slot.path] for slot in slots if changes[slot.path] != slot.text})
        events = answer.dialect.decompose(answer)
        calls = [self._call(event) if isinstance(event, ToolCallDelta) else event for event in events]
        return answer.dialect.recompose(answer, calls)

    def event(self, event: TextEvent) -> TextEvent:
        """The event with what leaves now; its text may be empty, for it may carry more than text."""
        return self._lanes.take(event)

    def rest(self, choice: int | None = None) -> tuple[TextEvent, ...]:
        """What is still held of a choice that ends, or of all."""
        return tuple(self._lanes.rest(choice))

    def _call(self, event: ToolCallDelta) -> ToolCallDelta:
        return event.with_text(self._texts.of_event(event).feed(event.text, end=True))


class _Texts:
    """The texts of one reply. Blocks of a text are read as one where targets are concerned: clients join them."""

    def __init__(self, vault: Vault, request: Request) -> None:
        self._vault = vault
        self._json = json_kinds(request)
        self._one_answer = request.operation == "response"  # whose texts are told apart as choices are elsewhere
        self._targets: dict[tuple[str | int, str], Targets] = {}

    def of_event(self, event: TextEvent) -> Text:
        """The text that this event begins."""
        return self.of(0 if self._one_answer else event.choice, event.kind)

    def of(self, choice: str | int, kind: str) -> Text:
        """A text that begins now."""
        targets = self._targets.setdefault((choice, kind), Targets()) if kind in _TEXTS else None
        return restored(self._vault, json=kind in self._json, targets=targets)


def _choice(slot: TextSlot) -> str | int:
    return slot.path[1] if slot.path[0] == "choices" else 0
