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
    found = [value.strip() for name in ("x-api-key", ADMIN_HEADER) if (value := headers.get(name)) is not None]
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.strip().partition(" ")
        found.append(token.strip() if scheme.lower() == "bearer" else "")
    if not found:
        return None
    text = found[0]
    same = found.count(text) == len(found)
    if not same or not text or len(text) > MAX_CHARS or not (text.isascii() and text.isprintable()):
        raise invalid()
    return text
