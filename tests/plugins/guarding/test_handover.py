"""Of two guards that look at a stream together, the second one need not look again, and misses nothing for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Context
from sentinel_core.events import Event, TextEvent
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import TomlTable
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import Driven, FakeProvider
from sentinel_plugins.guarding.folding import Fold
from sentinel_plugins.guarding.views import Reader
from tests.plugins.guarding.guards import KINDS, answering, guards, verdicts
from tests.plugins.guarding.texts import texts
from tests.properties import promised

ADDRESS, KEY = "bob@acme.com", "sk-ant-abcdefghijklmnopqrstuvwx0123"
BOTH: dict[str, TomlTable] = {"pii": {}, "secrets": {}}


class Between(Stage):
    """A stage between two guards that hands on texts as events of its own, changed where `said` says so."""

    name = "between"
    Config: ClassVar[type[StageConfig]] = StageConfig
    said: ClassVar[dict[str, str]] = {}
    skips: ClassVar[int] = 0

    @hookimpl
    async def on_stream(self, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        skip = self.skips
        async for event in events:
            if isinstance(event, TextEvent) and event.text:
                if skip:
                    skip -= 1
                else:
                    event = msgspec.structs.replace(event, text=self.said.get(event.text, event.text), changed=True)
            yield event


@pytest.fixture(autouse=True)
def between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "between", Between)


async def answered(pieces: Sequence[str], **tables: TomlTable) -> Driven:
    async with guards(FakeProvider(tuple(pieces)), **tables) as chain:
        return await chain.ask(stream=True)


def cut(text: str, places: Sequence[int]) -> list[str]:
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


def test_p6_two_guards_that_share_a_search_do_what_two_do_that_search() -> None:
    @promised()
    @given(texts, st.lists(st.integers(0, 500), max_size=6))
    def check(text: str, places: list[int]) -> None:
        pieces = cut(text, places)
        shared, apart = through_shared(pieces, stream=True), through_apart(pieces, stream=True)
        assert shared.text == apart.text
        assert verdicts(shared).items() <= verdicts(apart).items()

    with answering(**BOTH) as through_shared, answering(pii={}, between={}, secrets={}) as through_apart:
        check()


async def test_a_text_is_searched_once_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[int] = Counter()
    live_from = Reader.live_from

    def counted(self: Reader, text: str, fold: Fold) -> int:
        calls[id(self)] += 1
        return live_from(self, text, fold)

    monkeypatch.setattr(Reader, "live_from", counted)
    driven = await answered(["The ", "quick ", f"{ADDRESS} ", "fox."], **BOTH)
    assert driven.text == "The quick [EMAIL_ADDRESS] fox."
    assert len(calls) == 1
    assert verdicts(driven)["pii", "response"] == "masked"


async def test_a_text_that_the_first_guard_changed_is_searched_by_the_second() -> None:
    key = "sk-proj-Q7f2LmZ9xVb4Rk8TnW3yHs6PdJc5GgA1uEoXiKqMzYtBvNrSanna"
    texts = ["A ", f"{key}.o-neil+news@mail.example.co.uk ", f"{ADDRESS} ", "fox."]
    for stream in (True, False):
        async with guards(FakeProvider(tuple(texts)), **BOTH) as chain:
            driven = await chain.ask(stream=stream)
        assert driven.text == "A [OPENAI_KEY].[EMAIL_ADDRESS] [EMAIL_ADDRESS] fox."


@pytest.mark.parametrize("between", [":", "=", " "])
@pytest.mark.parametrize("size", [1, 6, 200])
async def test_a_value_is_replaced_where_a_secret_took_the_words_before_it(between: str, size: int) -> None:
    text = f"row postgres://app:s3cretPassw0rd@db.acme.com/x,SSN{between} 123456789 end, 123-45-6789"
    driven = await answered([text[at : at + size] for at in range(0, len(text), size)], **BOTH)
    assert "[CONNECTION_STRING]" in driven.text
    assert driven.text.endswith(" [US_SSN] end, [US_SSN]")


@pytest.mark.parametrize("order", [("pii", "secrets"), ("secrets", "pii")])
async def test_a_key_without_an_end_is_dropped_in_either_order(order: tuple[str, ...]) -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + ("A" * 64 + "\n") * 400
    driven = await answered([key, f"{ADDRESS} is his.\n"], **{name: BOTH[name] for name in order})
    assert "AAAA" not in driven.text
    assert ADDRESS not in driven.text


@pytest.mark.parametrize("skips", [0, 1, 2])
async def test_what_a_stage_between_them_writes_is_searched(skips: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Between, "said", {"NAME ": f"{ADDRESS} "})
    monkeypatch.setattr(Between, "skips", skips)
    driven = await answered(["One ", "two ", "three ", "NAME ", "end."], pii={}, between={}, secrets={})
    assert driven.text == "One two three [EMAIL_ADDRESS] end."
