"""Where a stream of chunks begins to say who answers."""

from __future__ import annotations

from sentinel_core.json_types import JsonMapping


def opens(chunk: JsonMapping) -> bool:
    """Whether the answer's id, time and model are those of this chunk. Azure's first only tells how it judged the
    prompt: it has none of them, and no choices."""
    return bool(chunk.get("id") or chunk.get("choices"))
