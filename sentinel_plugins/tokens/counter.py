"""The service: counts with tiktoken, each text once, large ones off the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import msgspec

from sentinel_core.keyed_cache import KeyedCache
from sentinel_core.messages import Request
from sentinel_core.tokens import Count
from sentinel_plugins.tokens.encodings import encoding_of, load, present
from sentinel_plugins.tokens.pieces import pieces
from sentinel_plugins.tokens.prompt import prompt_of

if TYPE_CHECKING:
    from tiktoken import Encoding

ON_THE_LOOP_CHARS = 16_384
"""What is counted on the loop: about a millisecond's work. More goes to a thread, without the interpreter's lock."""
WORTH_CHARS = 64
"""From here on a hash takes less time than counting again."""
MOST_CHARS = 262_144
"""Texts that are longer together are not looked for: their hashes would take the loop more than a fifth of a
millisecond."""
REMEMBERED = 8_192
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="sentinel tokens")
"""So many long prompts are counted at a time in a process: the loop's own threads are for those who look up hosts."""


class Counted(msgspec.Struct, frozen=True):
    """The tokens of each text, and whether that is exact."""

    tokens: list[int]
    exact: bool


class TiktokenCounter:
    """`Tokens`, exact for OpenAI's models as far as their rules are published, else an estimate that says so.

    The first count reads an encoding, in a thread: half a second and 90 MB, paid only by who limits tokens or money.
    Of the texts that were counted last, up to `REMEMBERED` for each encoding, it is known how many tokens they have: of
    a conversation that grows only what is new is counted. The texts themselves are not kept.
    """

    def __init__(self) -> None:
        self._known: dict[str, KeyedCache[int]] = {}

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
            encoding = await asyncio.get_running_loop().run_in_executor(_THREADS, load, name)
        if sum(map(len, texts)) > MOST_CHARS:
            counted = await _on_a_thread(encoding, texts)
            return Count(sum(counted.tokens), exact and counted.exact)
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = KeyedCache(REMEMBERED)
        tokens, whole = await self._all(encoding, texts, known)
        return Count(tokens, exact and whole)

    async def _all(self, encoding: Encoding, texts: Sequence[str], known: KeyedCache[int]) -> tuple[int, bool]:
        """The tokens of all texts, of which those that are not known are counted, and whether that is exact."""
        found = 0
        new: list[str] = []
        digests: list[bytes] = []
        for text in texts:
            digest = known.digest(text) if len(text) >= WORTH_CHARS else b""
            tokens = known.get(digest) if digest else None
            if tokens is None:
                new.append(text)
                digests.append(digest)
            else:
                found += tokens
        if sum(map(len, new)) <= ON_THE_LOOP_CHARS:
            counted = Counted(_tokens(encoding, new), True)
        else:
            counted = await _on_a_thread(encoding, new)
        for digest, tokens in zip(digests, counted.tokens, strict=True):
            if digest and counted.exact:
                known.put(digest, tokens)
            found += tokens
        return found, counted.exact


async def _on_a_thread(encoding: Encoding, texts: Sequence[str]) -> Counted:
    """Count off the loop. Whoever leaves ends the work with the piece that is being counted."""
    left = Event()
    try:
        return await asyncio.get_running_loop().run_in_executor(_THREADS, _counted, encoding, texts, left.is_set)
    finally:
        left.set()


def _tokens(encoding: Encoding, texts: Sequence[str]) -> list[int]:
    return [len(encoding.encode_ordinary(text)) for text in texts]


def _counted(encoding: Encoding, texts: Sequence[str], left: Callable[[], bool]) -> Counted:
    counts: list[int] = []
    exact = True
    for text in texts:
        tokens = 0
        for piece in pieces(text):
            if left():
                return Counted([], False)  # nobody hears of it
            tokens += len(encoding.encode_ordinary(piece.text))
            exact &= piece.exact
        counts.append(tokens)
    return Counted(counts, exact)
