"""How a conversation begins: what all requests that carry its history have in common."""

from __future__ import annotations

from collections.abc import Iterator

from sentinel_core.messages import Path, Request


def opening(request: Request) -> Iterator[str]:
    """The texts up to the end of the first message of a user, instructions of the system among them; of a prompt that
    is one text, in which nobody can tell messages apart, the first line."""
    first: Path | None = None
    for slot in request.texts():
        if slot.kind != "content" or slot.role is None:
            continue
        message = slot.path[:2]
        if first is not None and message != first:
            break
        if slot.role == "user":
            first = message
        yield slot.text.partition("\n")[0] if request.operation == "completion" else slot.text
