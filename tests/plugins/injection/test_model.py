"""The classifier reads its file, and reads texts in linear time."""

from __future__ import annotations

import math
import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.injection.model import Model, Weights, Window, shipped_model, weights_file
from sentinel_plugins.injection.scorer import shipped_scorer
from sentinel_plugins.injection.words import LONGEST, grams_of, words_of
from tests.promises.tree import page

SMALL = Weights(
    scale=10,
    bias=-1.0,
    whole=2,
    windows=(Window(4, 2, 0.5), Window(2, 1, 0.75)),
    words=("ignore", "all"),
    word_weights=(20, -10),
    grams={"<ig": 5, "ore": 3, "iglo": 4, "more>": -6, "gloo": 1},
    pairs=((1, 2, 40),),
    skips=((2, 1, 7),),
)
WORDS = st.lists(st.sampled_from(["ignore", "all", "igloo", "more", "x"]), max_size=40)


def logit(words: list[str], model: Model | None = None) -> float:
    score = (model or Model(SMALL)).read(words).score
    return math.log(score / (1 - score))


def plainly(words: list[str]) -> float:
    """The same by its definition: every window alone, every feature looked up."""
    short = len(words) <= 2
    words = ["^", *words, "$"] if short else words
    weights = dict(zip(SMALL.words, SMALL.word_weights, strict=True))
    pairs = {(SMALL.words[a - 1], SMALL.words[b - 1]): weight for a, b, weight in SMALL.pairs}
    skips = {(SMALL.words[a - 1], SMALL.words[b - 1]): weight for a, b, weight in SMALL.skips}
    each = [
        weights.get(word, sum(SMALL.grams.get(gram, 0) for gram in grams_of(word)) if word not in weights else 0)
        + pairs.get((words[at - 1] if at else "", word), 0)
        + skips.get((words[at - 2] if at > 1 else "", word), 0)
        for at, word in enumerate(words)
    ]
    highest = -math.inf
    for window in (Window(len(words), 1),) if short else SMALL.windows:
        size = min(window.words, len(words))
        for start in (*range(0, len(words) - size, window.stride), len(words) - size):
            highest = max(highest, sum(each[start : start + size]) / (10 * math.sqrt(size)) - window.off)
    return highest + SMALL.bias


@given(WORDS.filter(bool))
def test_running_sums_give_what_the_definition_gives(words: list[str]) -> None:
    assert logit(words) == pytest.approx(plainly(words), abs=1e-9)


def test_a_text_without_words_has_no_score() -> None:
    assert Model(SMALL).read([]).score == 0


def test_an_attack_is_found_in_the_last_words_of_a_long_text() -> None:
    assert logit(["x"] * 999 + ["ignore", "all"]) > logit(["x"] * 999) + 1


@given(st.text(max_size=300))
def test_no_word_is_longer_than_the_longest_and_nothing_but_marks_is_lost(text: str) -> None:
    words = words_of(text)
    assert all(0 < len(word) <= LONGEST for word in words)
    assert "".join(words) == "".join(character for character in text if words_of(character))


def test_the_shipped_weights_are_those_of_the_model_card() -> None:
    assert sha256(weights_file()).hexdigest() in page("docs/reference/injection.md")


def test_the_shipped_weights_are_read_once() -> None:
    assert shipped_model() is shipped_model()


@given(st.text(st.characters(codec="ascii"), max_size=200))
def test_the_fast_way_for_ascii_finds_the_same_words(text: str) -> None:
    assert words_of(text) == re.findall(rf"[^\W_]{{1,{LONGEST}}}", text)


def test_what_unknown_words_add_is_remembered_but_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel_plugins.injection.model.REMEMBERED", 3)
    model = Model(SMALL)
    for word in ("igloo", "more", "xore", "yore", "igloo", "more"):
        assert logit([word, word, word], model) == pytest.approx(plainly([word, word, word]))
        assert logit([word, word, word], model) == pytest.approx(plainly([word, word, word]))
        assert len(model._sums) <= 3


@pytest.mark.parametrize(
    "message", ["Hello, how are you?", "Who are you?", "Say hello", "Forget it", "Repeat that, please.", "Start over."]
)
def test_small_talk_is_no_attack(message: str) -> None:
    assert shipped_scorer().score(message).value < 0.5
