"""Acme Cloud on a port of this machine: answers what a test says, and keeps what it was asked.

`python tests/acme.py 9000` runs one to try the package with.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from sentinel_core.json_types import JsonObject

TOKENS = {"in": 3, "out": 2}


class Acme:
    """`words` is what it says, `problem` a status and a kind that it answers with instead, `cut` leaves the end out."""

    def __init__(self) -> None:
        self.asked: list[JsonObject] = []
        self.keys: list[str] = []
        self.words = ["Hello ", "there"]
        self.problem: tuple[int, str] | None = None
        self.cut = False

    async def speak(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/speak`."""
        body = await request.json()
        self.asked.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        if self.problem is not None:
            status, kind = self.problem
            return web.json_response({"problem": {"kind": kind, "text": f"{kind}, sorry"}}, status=status)
        if not body["live"]:
            return web.json_response({"said": "".join(self.words), "ended": "done", "tokens": TOKENS})
        return await self._live(request)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in self.words:
            await response.write(_event({"said": word}))
        if not self.cut:
            await response.write(_event({"ended": "done", "tokens": TOKENS}))
        await response.write_eof()
        return response

    async def models(self, _: web.Request) -> web.Response:
        """`GET /v1/models`, which the health check reads."""
        return web.json_response({"data": []})


def _event(body: JsonObject) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def application(acme: Acme) -> web.Application:
    """Its routes."""
    app = web.Application()
    app.router.add_post("/v1/speak", acme.speak)
    app.router.add_get("/v1/models", acme.models)
    return app


@asynccontextmanager
async def acme_cloud() -> AsyncIterator[tuple[Acme, str]]:
    """A running Acme Cloud, and its base URL."""
    acme = Acme()
    async with TestServer(application(acme)) as server:
        yield acme, str(server.make_url("/v1"))


if __name__ == "__main__":
    web.run_app(application(Acme()), host="127.0.0.1", port=int(sys.argv[1]))
