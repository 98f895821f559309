"""What is known of texts that were seen before, without the texts."""

from __future__ import annotations

import gc

from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.keyed_cache import DIGEST_BYTES, KeyedCache


def test_a_fact_is_found_again_under_the_text_and_no_other() -> None:
    cache: KeyedCache[str] = KeyedCache(4)
    cache.put(cache.digest("Ann"), "known")
    assert cache.get(cache.digest("Ann")) == "known"
    assert cache.get(cache.digest("Bob")) is None
    assert len(cache.digest("\ud83d")) == DIGEST_BYTES  # half of a pair, which JSON can carry


def test_two_caches_give_a_text_two_names() -> None:
    assert KeyedCache[str](1).digest("Ann") != KeyedCache[str](1).digest("Ann")


def test_what_was_used_longest_ago_goes_first() -> None:
    cache: KeyedCache[int] = KeyedCache(2)
    digests = [cache.digest(text) for text in ("a", "b", "c")]
    cache.put(digests[0], 0)
    cache.put(digests[1], 1)
    cache.get(digests[0])
    cache.put(digests[2], 2)
    assert [cache.get(digest) for digest in digests] == [0, None, 2]
    assert len(cache) == 2


def test_no_text_is_kept() -> None:
    cache: KeyedCache[int] = KeyedCache(2)
    cache.put(cache.digest("a text of its own"), 1)
    assert not any(one == "a text of its own" for one in gc.get_referents(cache, *gc.get_referents(cache)))


@given(st.lists(st.text(max_size=3), max_size=60), st.integers(1, 5))
def test_it_never_holds_more_than_it_may(texts: list[str], entries: int) -> None:
    cache: KeyedCache[float] = KeyedCache(entries)
    for text in texts:
        cache.put(cache.digest(text), 0.5)
        assert len(cache) <= entries
