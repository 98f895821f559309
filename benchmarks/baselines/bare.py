"""The barest proxy on our own parts: Starlette, aiohttp, one route, no checks. The floor that Sentinel is held to.

`--decode` parses every event of a stream with msgspec, as any gateway that reads its streams must; without it bytes
are passed through as they arrive.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from benchmarks.harness import payloads


async def passed_through(upstream: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with upstream:
        async for data in upstream.content.iter_any():
            yield data


async def decoded(upstream: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    decode = msgspec.json.Decoder().decode
    rest = b""
    async with upstream:
        async for data in upstream.content.iter_any():
            *events, rest = (rest + data).split(b"\n\n")
            for event in events:
                if event != b"data: [DONE]":
                    decode(event[6:])
                yield event + b"\n\n"


class Proxy:
    """One upstream, one pooled session."""

    def __init__(self, upstream: str, *, decode: bool) -> None:
        self._url = upstream + payloads.PATH
        self._relay = decoded if decode else passed_through

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as self._session:
            yield

    async def chat(self, request: Request) -> Response:
        body = await request.body()
        headers = {"content-type": "application/json", "authorization": "Bearer sk-upstream"}
        upstream = await self._session.post(self._url, data=body, headers=headers)
        if msgspec.json.decode(body).get("stream"):
            return StreamingResponse(self._relay(upstream), upstream.status, media_type="text/event-stream")
        async with upstream:
            return Response(await upstream.read(), upstream.status, media_type="application/json")

    def app(self) -> Starlette:
        return Starlette(routes=[Route(payloads.PATH, self.chat, methods=["POST"])], lifespan=self.lifespan)


def run_uvicorn(app: Starlette, port: int) -> None:
    import uvicorn

    uvicorn.run(app, port=port, http="httptools", loop="uvloop", log_level="warning", access_log=False)


def run_hypercorn(app: Starlette, port: int) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    asyncio.run(serve(app, config))  # type: ignore[arg-type]  # hypercorn's own ASGI types are stricter than Starlette's


RUNNERS = {"uvicorn": run_uvicorn, "hypercorn": run_hypercorn}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="as http://127.0.0.1:9000")
    parser.add_argument("--runner", choices=sorted(RUNNERS), default="uvicorn")
    parser.add_argument("--decode", action="store_true", help="decode every event of a stream")
    args = parser.parse_args()
    RUNNERS[args.runner](Proxy(args.upstream, decode=args.decode).app(), args.port)


if __name__ == "__main__":
    main()
