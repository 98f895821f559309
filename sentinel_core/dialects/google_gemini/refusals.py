"""Prompts that are not answered, and answers that are none: what a reply says where there is nothing to read."""

from __future__ import annotations

import re

from sentinel_core.dialects.google_gemini.wire import Reply
from sentinel_core.errors import UpstreamError

_WORD = re.compile(r"[A-Z_]{1,40}")
_UNSPECIFIED = frozenset({"BLOCK_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED"})


def blocked(reply: Reply) -> UpstreamError | None:
    """What a prompt is refused with that Google blocked: a 400 of the caller's; None where it was not."""
    reason = reply.prompt_feedback.block_reason if reply.prompt_feedback is not None else None
    if not reason or reason in _UNSPECIFIED:
        return None
    return UpstreamError(
        "invalid_request",
        f"The model's provider blocked the prompt ({_shown(reason)}).",
        status=400,
        wire_code="content_filter",
        upstream_status=200,
        should_retry=False,
    )


def no_answer(reason: str) -> UpstreamError:
    """What an empty answer is that ended because the model failed: another attempt may do better."""
    return UpstreamError(
        "upstream_error", f"The model ended without an answer ({_shown(reason)}).", upstream_status=200
    )


def _shown(reason: str) -> str:
    """A reason as it may stand in a message: it is the upstream's own text."""
    return reason if _WORD.fullmatch(reason) else "UNKNOWN"
