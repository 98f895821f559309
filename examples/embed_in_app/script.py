"""The gateway without HTTP: one whole answer, one stream.

python script.py
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from sentinel_core.events import TextDelta
from sentinel_core.gateway import Gateway

QUESTION = {"model": "echo", "messages": [{"role": "user", "content": "One chain, two ways in."}]}


async def main() -> None:
    """Ask twice."""
    async with Gateway.load(Path(__file__).with_name("sentinel.toml")) as gateway:
        answer = await gateway.complete(QUESTION)
        print(answer.body["choices"][0]["message"]["content"])
        async with gateway.stream(QUESTION) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    print(event.text, end="|", flush=True)
        print()


if __name__ == "__main__":
    asyncio.run(main())
