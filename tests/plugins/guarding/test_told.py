"""What another guard found in a text is replaced there, however the text comes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.finder import Beside, Together
from sentinel_plugins.guarding.handover import Mark
from sentinel_plugins.guarding.merge import Cluster
from sentinel_plugins.guarding.told import Alongside, Told
from sentinel_plugins.guarding.transducer import Transducer
from sentinel_plugins.guarding.written import PlainText
from tests.plugins.guarding.kinds import LONG

WORDS = st.lists(st.tuples(st.sampled_from(["a", "bc", "1 2", "\u53f7" * 9]), st.sampled_from(["", "seen", "gone"])))


def mark(start: int, end: int, said: str) -> Mark:
    return Mark(start, end, Cluster(start, end, Found(start, end, "PIN", "pii")), said == "gone")


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_it_finds_each_value_in_its_place_and_none_that_is_gone(pieces: list[list[tuple[str, str]]]) -> None:
    told = Told()
    finder = Beside(Together([]), told)
    text = PlainText(Alongside(told, Transducer(finder, lambda _: 0, lambda *_: "[PIN]")))
    out = []
    for words in pieces:
        ends = [0]
        for word, _ in words:
            ends.append(ends[-1] + len(word))
        spans = zip(pairwise(ends), words, strict=True)
        said = "".join(word for word, _ in words)
        told.tell([mark(*span, kind) for span, (_, kind) in spans if kind], len(said))
        out.append(text.feed(said))
    out.append(text.feed("", end=True))
    assert "".join(out) == "".join("[PIN]" if kind == "seen" else word for words in pieces for word, kind in words)


def test_a_value_is_whole_however_long_the_piece_that_holds_it() -> None:
    told = Told()
    text = PlainText(Alongside(told, Transducer(Beside(Together([]), told), lambda _: 0, lambda *_: "[PIN]")))
    told.tell([mark(16_380, 16_390, "seen")], 20_000)
    assert text.feed("a" * 20_000, end=True) == "a" * 16_380 + "[PIN]" + "a" * 3_610


def test_it_finds_each_value_in_its_place_behind_one_that_goes_on() -> None:
    told = Told()
    finder = Beside(Together([LONG]), told)
    transducer = Transducer(finder, lambda _: 0, lambda *_: "[PIN]", overlong={LONG.name: LONG}, in_step=True)
    told.tell([mark(4_000, 4_010, "seen")], 10_000)
    text = "BEGIN" + "a" * 995 + "." + "1" * 8_999
    assert PlainText(Alongside(told, transducer)).feed(text, end=True) == f"[PIN].{'1' * 2_999}[PIN]{'1' * 5_990}"
