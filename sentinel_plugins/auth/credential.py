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
    authorization = headers.get("authorization")
    text = _bearer(authorization) if authorization is not None else None
    for name in ("x-api-key", ADMIN_HEADER):
        if name in headers:
            value = headers[name].strip()
            if text is not None and value != text:
                raise invalid()
            text = value
    if text is None:
        return None
    if not text or len(text) > MAX_CHARS or not (text.isascii() and text.isprintable()):
        raise invalid()
    return text


def _bearer(authorization: str) -> str:
    """The token; empty where it is none."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
