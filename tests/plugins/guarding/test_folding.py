"""Folded texts: the way back from them is worked out once, however many values they hold."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sentinel_plugins.guarding import folding
from sentinel_plugins.guarding.entities.email import email_address
from sentinel_plugins.guarding.origins import Stretches
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.views import Reader

MANY = 200


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the texts whose way back was worked out."""
    lengths: list[int] = []

    def noted(made: Sequence[int], origin: Sequence[int]) -> Stretches:
        lengths.append(len(origin))
        return Stretches(made, origin)

    monkeypatch.setattr(folding, "Stretches", noted)
    return lengths


@pytest.mark.parametrize("uneven", ["\u200b", "\u0301", "\ufb01"], ids=["zero-width", "accent", "ligature"])
def test_the_way_back_is_worked_out_once_for_all_values(uneven: str, worked_out: list[int]) -> None:
    text = f"a@b.io{uneven} " * MANY
    found = Reader(Scanner([email_address()])).find(text)
    assert len({one.start for one in found}) == MANY
    assert worked_out == [len(text)]


def test_the_way_back_is_not_worked_out_where_nobody_asks(worked_out: list[int]) -> None:
    assert not Reader(Scanner([email_address()])).find("nobody\u200b is here " * MANY)
    assert worked_out == []
