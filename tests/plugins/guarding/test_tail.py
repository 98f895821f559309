"""The end of a text, by what lies below RE2's module and by what it offers to everybody."""

from __future__ import annotations

from typing import Any

import pytest
import re2

from sentinel_plugins.guarding.tail import Tail, matching

WORDS = ("", "x", "see bob@", "say a b", "naïve bob@", "\ud83d bob", "é" * 40)


class Hidden:
    """A compiled pattern, or a set, that shows its public methods only."""

    def __init__(self, compiled: Any) -> None:  # re2 has no stubs
        self._compiled = compiled

    def search(self, text: bytes, start: int, end: int) -> Any:  # as above
        """As RE2's own."""
        return self._compiled.search(text, start, end)

    def Match(self, text: bytes) -> Any:  # noqa: N802 - RE2's own name
        """As RE2's own."""
        return self._compiled.Match(text)


def test_a_version_of_re2_that_hides_more_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_ = re2.compile
    quick = Tail(["[a-z]+@", "[0-9]+"], 12)
    monkeypatch.setattr(re2, "compile", lambda *given: Hidden(compile_(*given)))
    plain = Tail(["[a-z]+@", "[0-9]+"], 12)
    assert [plain.live_from(text) for text in WORDS] == [quick.live_from(text) for text in WORDS]
    assert quick.live_from("see bob@") == len("see ")


def test_the_same_holds_for_sets() -> None:
    patterns = re2.Set.SearchSet()
    for pattern in ("[0-9]", "b@"):
        patterns.Add(pattern)
    patterns.Compile()
    hidden: Any = Hidden(patterns)  # it stands for a compiled pattern
    for text, found in ((b"", []), (b"bob@", [1]), (b"1 b@", [0, 1])):
        assert sorted(matching(patterns)(text)) == sorted(matching(hidden)(text)) == found
