"""How a response ended: one status for all of its texts."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel_core.json_types import JsonMapping, JsonObject

_GRAVEST_FIRST = {"content_filter": "content_filter", "length": "max_output_tokens"}
"""The reasons that leave a response incomplete, and its words for them."""


def with_status(response: JsonMapping, reasons: Iterable[str]) -> JsonObject:
    """The response as it is where its texts ended for these reasons."""
    given = set(reasons)
    word = next((word for reason, word in _GRAVEST_FIRST.items() if reason in given), None)
    details = {"reason": word} if word is not None else None
    return {**response, "status": "incomplete" if word is not None else "completed", "incomplete_details": details}
