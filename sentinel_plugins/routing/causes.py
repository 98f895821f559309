"""For which failures another target is tried."""

from __future__ import annotations

from sentinel_core.errors import UpstreamError
from sentinel_plugins.routing.config import RoutingConfig

ANOTHER_MAY_DO = frozenset(
    {
        "circuit_open",
        "model_not_found",
        "overloaded",
        "rate_limit_exceeded",
        "unsupported_operation",
        "upstream_auth_error",
        "upstream_connection_reset",
        "upstream_error",
        "upstream_invalid_response",
        "upstream_stream_interrupted",
        "upstream_timeout",
        "upstream_tls_error",
        "upstream_unreachable",
    }
)
"""The target's trouble, not the request's. A redirect is missing: it is a mistake in the configuration."""

_CONTEXT_TEXTS = (
    "context_length_exceeded",
    "exceeds the context window",
    "exceeds the maximum number of tokens",  # Gemini
    "input tokens exceed",
    "maximum context length",
    "maximum prompt length",  # xAI
    "prompt is too long",  # Anthropic
)
_POLICY_CODES = frozenset({"content_policy_violation", "content_filter"})


def falls_back(config: RoutingConfig, error: UpstreamError) -> bool:
    """Whether the next target of the plan is worth a call after this error."""
    if error.code in ANOTHER_MAY_DO:
        return error.code != "upstream_error" or not 400 <= (error.upstream_status or 0) < 500
    also = config.fallback_also_on
    return ("context_length" in also and is_context_length(error)) or (
        "content_policy" in also and _is_content_policy(error)
    )


def is_context_length(error: UpstreamError) -> bool:
    """Whether a prompt was refused for its length. Providers agree on no code, so their words count, as in clients."""
    text = error.message.lower()
    return error.wire_code == "context_length_exceeded" or any(part in text for part in _CONTEXT_TEXTS)


def _is_content_policy(error: UpstreamError) -> bool:
    return error.code in _POLICY_CODES or error.wire_code in _POLICY_CODES
