"""An application of its own with the gateway under `/llm`.

hypercorn app:app
curl http://127.0.0.1:8000/llm/v1/models
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from sentinel_core.gateway import Gateway
from sentinel_server import asgi

gateway = Gateway.load(Path(__file__).with_name("sentinel.toml"))


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """The host opens the gateway: a mounted application's own lifespan never runs."""
    async with gateway:
        yield


async def ask(request: Request) -> PlainTextResponse:
    """A route of the host that asks through the same chain, without HTTP."""
    question = request.query_params.get("question")
    if question is None:
        return PlainTextResponse("Say what you want to know: /ask?question=…", 400)
    answer = await gateway.complete({"model": "echo", "messages": [{"role": "user", "content": question}]})
    return PlainTextResponse(answer.body["choices"][0]["message"]["content"])


app = Starlette(routes=[Route("/ask", ask), Mount("/llm", app=asgi(gateway))], lifespan=lifespan)
