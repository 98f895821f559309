"""What guards before this one replaced, as it was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentinel_core.keys import Changed
from sentinel_core.messages import Path, Request


def as_sent(request: Request, changes: Sequence[Changed]) -> Mapping[Path, str]:
    """The texts of a request that is left of these changes, each at its place as the caller sent it there.

    A text that another stage wrote after a guard is that stage's.
    """
    texts = _texts(request) if changes else {}
    for changed in reversed(changes):
        before = _texts(changed.before)
        for path, text in _texts(changed.after).items():
            if path in before and texts.get(path) == text:
                texts[path] = before[path]
    return texts


def _texts(request: Request) -> dict[Path, str]:
    return {slot.path: slot.text for slot in request.texts()}
