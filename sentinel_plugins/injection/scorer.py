"""The score of one text: the highest that model and rules give to any of its views."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from sentinel_plugins.injection import views
from sentinel_plugins.injection.model import Model, share, shipped_model
from sentinel_plugins.injection.rules import Rules, shipped_rules
from sentinel_plugins.injection.words import LONGEST, measured, words_of

DEPTH: Final = 2
"""How often what was decoded is decoded again."""
MOST_VIEWS: Final = 12
FEWEST: Final = 2
"""Words that a text must have to be an attempt. Pieces of encoded runs are none: what counts is what they say."""
STRANGE: Final = 0.6
"""Below this share of known words a text in Latin letters is also read rotated, backwards and respelled."""


class Score(NamedTuple):
    """From 0 to 1, and the rule that gave it, if it was one."""

    value: float
    rule: str = ""


NOTHING: Final = Score(0.0)
_REVERSIBLE: Final = (views.rotated, views.backwards)
"""What gives a word back where it is done twice."""


class Scorer:
    """The model and the rules. Safe to use from several threads at once; it keeps no text."""

    def __init__(self, model: Model, rules: Rules) -> None:
        self._model = model
        self._rules = rules
        self._reversible = [(respelled, frozenset(map(respelled, model.words))) for respelled in _REVERSIBLE]

    def score(self, text: str) -> Score:
        """The score of a whole text. Linear in its length; what is decoded of it is bounded."""
        best = NOTHING
        waiting = [(text, 0)]
        for _ in range(MOST_VIEWS):
            if not waiting:
                break
            view, depth = waiting.pop(0)
            for _ in range(DEPTH):
                view = views.opened(view)
            folded = views.folded(view)
            words, most, letters = measured(folded)
            if most >= LONGEST:
                words = [word for word in words if len(word) < LONGEST or not word.isascii()]
                letters = sum(map(len, words))
            if len(words) >= FEWEST:
                best = max((best, *self._read(folded, words, letters)))
            if depth < DEPTH:
                waiting += [(inner, depth + 1) for inner in views.decoded(view, self._model.words, most)]
        return best

    def _read(self, folded: str, words: list[str], letters: int) -> Iterator[Score]:
        """The scores of one view as it is and, where its words are strange, as they may be meant."""
        reading = self._model.read(words)
        yield Score(reading.score)
        rule = self._rules.first(folded, words)
        if rule is not None:
            yield Score(rule.score, rule.name)
        for other, spelled in self._meant(folded, words, letters, reading.known):
            yield Score(self._model.read(spelled).score)
            rule = self._rules.first(other, spelled)
            if rule is not None:
                yield Score(rule.score, rule.name)

    def _meant(self, folded: str, words: list[str], letters: int, known: float) -> Iterator[tuple[str, list[str]]]:
        latin = views.lookalike(folded)
        if latin is not None:
            yield latin, words_of(latin)
        if len(words) > 8 and letters < 1.6 * len(words):
            closed = views.closed_up(folded)
            yield closed, words_of(closed)
        elif known < STRANGE and sum(map(str.isascii, words)) > len(words) / 2:
            for other in self._respelled(folded, words, known):
                spelled = words_of(other)
                if self._model.known(spelled) > known:  # else it was not meant so
                    yield other, spelled

    def _respelled(self, folded: str, words: list[str], known: float) -> Iterator[str]:
        """The text as it may be meant. Whether more of its words are known when they are rotated or read backwards is
        seen without doing so: most come to nothing there. Of a text that is read in part only they would say something
        else."""
        in_part = len(folded) > views.MOST_CHARS
        for respelled, known_so in self._reversible:
            if in_part or share(words, known_so) > known:
                yield respelled(folded)
        if (spelled := views.spelled_out(folded)) is not None:
            yield spelled


@cache
def shipped_scorer() -> Scorer:
    """On the weights and rules of the package, made once per process."""
    return Scorer(shipped_model(), shipped_rules())
