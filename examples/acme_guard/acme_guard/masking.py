"""Finding words in text that arrives in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sentinel_core.messages import Path, TextSlot


class WordMask:
    """Replaces words, the leftmost first and of several the longest, however the text is cut into pieces."""

    def __init__(self, words: Sequence[str], mask: str) -> None:
        self._mask = mask
        self._words: dict[str, list[str]] = {}
        for word in sorted(map(fold, words), key=len, reverse=True):
            self._words.setdefault(word[0], []).append(word)

    def split(self, text: str, *, end: bool = False) -> tuple[str, str]:
        """The masked text, and its last characters unmasked as long as they could still become a word.

        At the `end` of the text nothing is held.
        """
        folded = fold(text)
        masked: list[str] = []
        at = 0
        while at < len(text):
            words = self._words.get(folded[at], ())
            if not end and any(len(word) > len(text) - at and word.startswith(folded[at:]) for word in words):
                break
            word = next((word for word in words if folded.startswith(word, at)), "")
            masked.append(self._mask if word else text[at])
            at += len(word) or 1
        return "".join(masked), text[at:]

    def whole(self, text: str) -> str:
        """A complete text, masked."""
        return self.split(text, end=True)[0]

    def changes(self, slots: Iterable[TextSlot]) -> dict[Path, str]:
        """The complete texts that masking changes, by their place."""
        masked = ((slot, self.whole(slot.text)) for slot in slots)
        return {slot.path: text for slot, text in masked if text != slot.text}


def fold(text: str) -> str:
    """Lower case where that keeps the length, so that a place in one is a place in the other."""
    folded = text.lower()
    return folded if len(folded) == len(text) else "".join(low if len(low := c.lower()) == 1 else c for c in text)
