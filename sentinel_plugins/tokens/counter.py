"""The service: counts with tiktoken, large texts off the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentinel_core.messages import Request
from sentinel_core.tokens import Count
from sentinel_plugins.tokens.encodings import encoding_of, load, present
from sentinel_plugins.tokens.prompt import prompt_of

if TYPE_CHECKING:
    from tiktoken import Encoding

ON_THE_LOOP_CHARS = 16_384
"""What is counted on the loop: about a millisecond's work. More goes to a thread, without the interpreter's lock."""


class TiktokenCounter:
    """`Tokens`, exact for OpenAI's models as far as their rules are published, else an estimate that says so.

    The first count reads an encoding, in a thread: half a second and 90 MB, paid only by who limits tokens or money.
    """

    async def prompt(self, request: Request, model: str) -> Count:
        """Tokens of messages, tools and inputs. Tools and images make it an estimate."""
        prompt = prompt_of(request)
        counted = await self._count(prompt.texts, model)
        return Count(counted.tokens + prompt.tokens, counted.exact and prompt.exact)

    async def text(self, text: str, model: str) -> Count:
        """Tokens of one text."""
        return await self._count((text,), model)

    async def _count(self, texts: Sequence[str], model: str) -> Count:
        name, exact = encoding_of(model)
        encoding = present(name)
        if encoding is None:
            encoding = await asyncio.to_thread(load, name)
        if sum(map(len, texts)) <= ON_THE_LOOP_CHARS:
            return Count(_tokens(encoding, texts), exact)
        return Count(await asyncio.to_thread(_tokens, encoding, texts), exact)


def _tokens(encoding: Encoding, texts: Sequence[str]) -> int:
    return sum(len(encoding.encode_ordinary(text)) for text in texts)
