"""A gateway with a budget and a ledger, and what each of them says was spent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sentinel_core.chain import Exchange
from sentinel_core.config import settings_from
from sentinel_core.context import Client
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.limits import NANO
from sentinel_core.state import Budget, Settlement, state_key
from sentinel_core.testing import chat_body

PRICES = '[[models]]\nid = "echo/m"\nprovider = "echo"\ninput_usd = 0.001\noutput_usd = 10.0\nmax_output_tokens = 1\n'
WHO = Client(address="10.0.0.1")
ACCOUNT = state_key("", "limit", "address", WHO.address, "usd-total")
COST = 10_001
"""Nano-dollars of one answer: `Hi` and its echo are a token each."""
MORE = 9_000
"""Less than an answer costs, and more than is reserved beyond that: prompts are estimated with what is around them."""
PLENTY = 1_000_000 * NANO


@dataclass
class House:
    """The gateway. `calls` counts those that were answered."""

    gateway: Gateway
    calls: int = 0

    def exchange(self) -> Exchange:
        """One request, not begun."""
        request = OPENAI_CHAT.decode_request(chat_body("Hi", model="m", max_tokens=1))
        return self.gateway.open(self.gateway.context(request, client=WHO))

    async def ask(self) -> str | None:
        """Why one request was refused; None if it was answered."""
        try:
            async with self.exchange():
                self.calls += 1
        except Refusal as refusal:
            return refusal.code
        return None

    async def ledger(self) -> int:
        """Nano-dollars in the ledger, once every call so far is in it."""
        while True:
            groups = await self.gateway.records.aggregate("usage", tenant=None, sums=("cost_nanousd",))
            if sum(group.count for group in groups) >= self.calls:
                return sum(group.sums[0] for group in groups)
            await asyncio.sleep(0.005)  # a group commit can only be asked for

    async def spent(self) -> int:
        """Nano-dollars that the state store counts as spent or reserved."""
        probe = state_key("", "probe", str(self.calls))
        admission = await self.gateway.state.admit(probe, [Budget(ACCOUNT, PLENTY, 0, "total", 60.0)])
        await self.gateway.state.settle(probe, Settlement())
        return PLENTY - admission.claims[0].remaining


def tables(folder: Path, state: TomlTable, calls: int, **limits: TomlValue) -> TomlTable:
    """A budget of so many calls for each address, and a ledger in a file."""
    prices = folder / "models.toml"
    prices.write_text(PRICES, "utf-8")
    address = {"total_usd": (calls * COST + MORE) / NANO, **limits}
    return {
        "providers": {"echo": {"kind": "echo", "models": ["m"]}},
        "catalogue": {"file": str(prices)},
        "state": state,
        "records": {"kind": "sqlite", "path": str(folder / "records.db")},
        "stages": {"usage": {}, "rate_limit": {"max_requests": "unlimited", "address": address}},
    }


@asynccontextmanager
async def house(folder: Path, state: TomlTable, calls: int, **limits: TomlValue) -> AsyncIterator[House]:
    """That gateway, open."""
    async with Gateway(settings_from(tables(folder, state, calls, **limits))) as gateway:
        yield House(gateway)
