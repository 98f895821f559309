"""The credential that a client presents."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.errors import Refusal

ADMIN_HEADER = "x-admin-key"
MAX_CHARS = 8192


def invalid() -> Refusal:
    """The one answer to a credential that is missing, unknown, expired or revoked."""
    return Refusal("invalid_api_key")


def presented(headers: Mapping[str, str]) -> str | None:
    """The key or token, None without one. Raises `Refusal` (invalid_api_key).

    It stands in `X-API-Key`, in `X-Admin-Key` or behind `Authorization: Bearer`. Where they disagree nobody may choose
    which one counts (H12).
    """
    found = {headers[name].strip() for name in ("x-api-key", ADMIN_HEADER) if name in headers}
    if "authorization" in headers:
        scheme, _, token = headers["authorization"].strip().partition(" ")
        found.add(token.strip() if scheme.lower() == "bearer" else "")
    if not found:
        return None
    text = found.pop()
    if found or not text or len(text) > MAX_CHARS or not (text.isascii() and text.isprintable()):
        raise invalid()
    return text
