"""P6 with everything that the guards know: each entity's own beginnings and context, at any cut."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.finder import Together
from sentinel_plugins.guarding.merge import Cluster
from sentinel_plugins.guarding.replacing import redacted
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.transducer import Transducer
from sentinel_plugins.guarding.written import PlainText
from tests.plugins.guarding.oracle import RANK, expected
from tests.plugins.guarding.test_transducer import CUTS, cut
from tests.plugins.guarding.texts import texts
from tests.properties import promised

ENTITIES = (*structured_pii(), *secrets())
SCANNER = Scanner(ENTITIES)  # of values in disguise, what they end with may depend on the cut: see guards.md


def through(pieces: Sequence[str]) -> str:
    def decide(cluster: Cluster, value: str) -> str:
        return redacted(cluster.first, value)

    text = PlainText(Transducer(Together([SCANNER]), lambda one: RANK[one.family], decide))
    return "".join([*(text.feed(piece) for piece in pieces), text.feed("", end=True)])


@promised()
@given(texts, CUTS)
def test_p6_however_a_text_is_cut_what_leaves_is_what_the_whole_text_becomes(text: str, places: list[int]) -> None:
    assert through(cut(text, places)) == expected(text, [SCANNER], redacted)


@promised()
@given(st.lists(texts, min_size=2, max_size=3).map(" ".join))
def test_p6_a_long_text_character_by_character(text: str) -> None:
    assert through(list(text)) == expected(text, [SCANNER], redacted)
