"""Guards that put values back, and what their provider is asked."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sentinel_core.config import Secret
from sentinel_core.context import Call
from sentinel_core.json_types import TomlTable
from sentinel_core.reply import Reply
from sentinel_core.stage import Stage
from sentinel_core.testing import FakeProvider
from sentinel_plugins.pii.placeholder import LENGTH, is_placeholder
from sentinel_plugins.pii.vault import Vault
from tests.plugins.guarding.guards import PII, Guards, guards

KEY = Secret("k" * 16, "HASH_KEY")
REVERSIBLE: TomlTable = {**PII, "action": "reversible", "hash_key": KEY}
_WORD = re.compile(rf"(?<![0-9A-Z])[0-9A-Z]{{{LENGTH}}}(?![0-9A-Z])")


class Parrot(FakeProvider):
    """Repeats the last message, after what it is told to."""

    before = ""
    after = ""
    size = 3

    async def call(self, call: Call) -> Reply:
        """The answer, in pieces where it is streamed."""
        self.calls.append(call)
        text = f"{self.before}{call.request.body['messages'][-1]['content']}{self.after}"
        pieces = [text[at : at + self.size] for at in range(0, len(text), self.size)]
        return await FakeProvider(pieces).call(call)


@asynccontextmanager
async def reversing(provider: FakeProvider, *others: Stage, **table: object) -> AsyncIterator[Guards]:
    """`pii` with the action `reversible`, and whatever else its table says."""
    async with guards(provider, *others, pii={**REVERSIBLE, **table}) as chain:
        yield chain


def placeholders(text: str) -> list[str]:
    """All that stands for values in what a provider was asked."""
    return [word for word in _WORD.findall(text) if is_placeholder(word)]


def put_back(vault: Vault, text: str) -> str:
    """What a whole text becomes, worked out place by place. It holds no targets and is no JSON."""
    out, at = [], 0
    while at < len(text):
        value = vault.value(text[at : at + LENGTH].upper()) if text[at : at + LENGTH].isascii() else None
        out.append(text[at] if value is None else value)
        at += 1 if value is None else LENGTH
    return "".join(out)
