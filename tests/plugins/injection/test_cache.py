"""Scores are remembered, as many as there may be, and no text is."""

from __future__ import annotations

import gc

from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.injection.cache import ScoreCache
from sentinel_plugins.injection.scorer import Score


@given(st.lists(st.text(max_size=3), max_size=60), st.integers(1, 5))
def test_it_never_holds_more_than_it_may(texts: list[str], entries: int) -> None:
    cache = ScoreCache(entries)
    for text in texts:
        cache.put(cache.digest(text), Score(0.5))
        assert len(cache) <= entries


def test_the_one_that_was_used_longest_ago_goes() -> None:
    cache = ScoreCache(2)
    for text in ("a", "b"):
        cache.put(cache.digest(text), Score(0.1))
    assert cache.get(cache.digest("a")) is not None
    cache.put(cache.digest("c"), Score(0.1))
    assert cache.get(cache.digest("b")) is None
    assert cache.get(cache.digest("a")) is not None


def test_two_caches_have_no_digest_in_common() -> None:
    assert ScoreCache(1).digest("text") != ScoreCache(1).digest("text")


def test_it_holds_no_text() -> None:
    cache = ScoreCache(8)
    text = "".join(("a text that ", "nobody else holds"))
    cache.put(cache.digest(text), Score(0.5))
    held = gc.get_referents(*gc.get_referents(cache))
    assert text not in [thing for thing in held if isinstance(thing, str)]


def test_a_lone_surrogate_has_a_digest() -> None:
    assert ScoreCache(1).digest("\ud800")
