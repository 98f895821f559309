"""What was put last stays, and no more than was said."""

from __future__ import annotations

from sentinel_core.latest import Latest


def test_what_was_put_longest_ago_makes_room() -> None:
    kept: Latest[str, int] = Latest(2)
    kept["a"] = 1
    kept["b"] = 2
    kept["a"] = 3  # put again: it is the last one now
    kept["c"] = 4
    assert dict(kept) == {"a": 3, "c": 4}


def test_an_entry_is_made_once_and_reading_it_does_not_keep_it() -> None:
    kept: Latest[str, list[int]] = Latest(2)
    made = kept.of("a", list)
    assert kept.of("a", list) is made
    assert kept.of("b", list) is not made
    kept.of("a", list)
    kept.of("c", list)
    assert [*kept] == ["b", "c"]
