"""P5 for `reversible`: what goes to a provider and comes back as it went is what the caller wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager

from hypothesis import assume, given
from hypothesis import strategies as st

from sentinel_core.testing import context
from sentinel_plugins.guarding.unseen import cleaned
from sentinel_plugins.pii.reversible import vault_for
from sentinel_plugins.pii.targets import Targets
from tests.loops import Loop
from tests.plugins.guarding.guards import guards, sent
from tests.plugins.guarding.samples import PERSONAL
from tests.plugins.guarding.texts import texts
from tests.plugins.pii.reversing import KEY, Parrot
from tests.properties import promised

BEGIN = {"role": "user", "content": "hi"}
VALUES = [value for values in PERSONAL.values() for value in values]
VAULT = vault_for(KEY.reveal().encode(), (), context(messages=[BEGIN]).request)
LITERAL = [VAULT.put(value) for value in VALUES]
TEXTS = st.lists(
    st.one_of(texts, st.sampled_from(LITERAL), st.sampled_from(LITERAL).map(str.lower)), min_size=1, max_size=3
).map("".join)


def aims(text: str) -> bool:
    """Whether there is the target of a link in it."""
    targets = Targets()
    for character in text:
        targets.feed(character)
        if targets.inside:
            return True
    return False


@contextmanager
def echoing() -> Iterator[Callable[[str, bool], tuple[str, str]]]:
    """What a provider was sent of a text, and what the caller got when it said that again."""
    table = {"action": "reversible", "hash_key": KEY}
    with Loop() as loop:
        stack = AsyncExitStack()
        chain = loop.run(stack.enter_async_context(guards(Parrot(), pii=table)))

        def ask(text: str, stream: bool) -> tuple[str, str]:
            messages = [BEGIN, {"role": "user", "content": text}]
            driven = loop.run(chain.ask(messages=messages, stream=stream))
            return sent(driven), driven.text

        try:
            yield ask
        finally:
            loop.run(stack.aclose())


def test_p5_whatever_is_taken_out_comes_back() -> None:
    """Text that looks like a placeholder of this very conversation among it."""

    @promised()
    @given(TEXTS, st.booleans())
    def check(text: str, stream: bool) -> None:
        assume(not aims(text))
        gone, back = ask(text, stream)
        gone_again, back_again = ask(gone, stream)
        assume(gone_again == gone)  # beside what stands for a value, the digits that follow can look like one
        assert cleaned(back) == cleaned(text), "what nobody sees may be in a value"
        assert cleaned(back_again) == cleaned(gone), "it was a text of another conversation"

    with echoing() as ask:
        check()


def test_p5_no_value_goes_to_the_provider() -> None:
    @promised()
    @given(st.lists(st.sampled_from(VALUES), min_size=1, max_size=5))
    def check(values: list[str]) -> None:
        text = " ; ".join(values)
        gone, back = ask(text, False)
        assert back == text
        assert not any(value in gone for value in values)

    with echoing() as ask:
        check()
