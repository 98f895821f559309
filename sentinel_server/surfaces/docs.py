"""`GET /openapi.json`, and `GET /docs`: a page that reads it, from this server alone.

The page has no inline code and loads nothing from elsewhere, so its content policy can say so.
"""

from __future__ import annotations

from importlib.resources import files

import msgspec
from starlette.types import Receive, Scope, Send

from sentinel_core.endpoints import Policy
from sentinel_core.json_types import JsonObject
from sentinel_server.edge import Transaction

PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
}


class DocumentSurface:
    """The OpenAPI document, encoded once. Where a host has mounted the application it says where."""

    policy: Policy = "public"

    def __init__(self, document: JsonObject) -> None:
        self._document = document
        self._body = msgspec.json.encode(document)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The document as JSON."""
        root = scope.get("root_path", "")
        body = msgspec.json.encode({**self._document, "servers": [{"url": root}]}) if root else self._body
        await Transaction.of(scope).answer(200, body)


class PageSurface:
    """One file of `static/`, read once."""

    policy: Policy = "public"

    def __init__(self, name: str) -> None:
        self._body = files("sentinel_server").joinpath("static", name).read_bytes()
        self._type = _TYPES[name.rpartition(".")[2]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The file, under a content policy that lets it load its neighbours only."""
        tx = Transaction.of(scope)
        tx.content_policy = PAGE_POLICY
        await tx.answer(200, self._body, content_type=self._type)
