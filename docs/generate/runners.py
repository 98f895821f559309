"""What each runner refuses, from the tables in `sentinel_server.runners`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import sentinel_server
from sentinel_core.config.settings import Runner

RUNNERS = Path(sentinel_server.__file__).parent / "runners"

HEAD = """# Runners

Two ASGI servers carry the same application: Hypercorn by default, uvicorn with the extra `fast`
(`runner = "uvicorn"`). The case numbers are those of the tests, `test_h01…` to `test_h15…`.

"Edge" is our code in front of the application, the same on both. "Runner" is our code inside the server's connection.
Everything else is refused by the server's own parser, before any code of ours runs. A refusal below the edge has the
same error object, an `x-request-id` of its own, and no line in the access log, because there was no request.
"""


def runners_page() -> str:
    """The page `reference/runners.md`."""
    parts = [HEAD]
    for name in get_args(Runner):
        doc = ast.get_docstring(ast.parse((RUNNERS / f"{name}.py").read_text("utf-8")))
        parts.append(f"## {name}\n\n{doc}\n")
    return "\n".join(parts)
