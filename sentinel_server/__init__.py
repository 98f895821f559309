"""HTTP and SSE in front of the chain.

    from sentinel_server import asgi, create_app

`create_app(gateway)` owns the gateway; `asgi(gateway)` is for a host that does. Both are imported when first asked for:
the command line starts without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentinel_server.app import asgi, create_app

__all__ = ["asgi", "create_app"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from sentinel_server import app

        return getattr(app, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
