"""The vault: the same for the same value, another for every other conversation, and closed."""

from __future__ import annotations

import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.pii.vault import Vault
from tests.properties import promised

KEY = b"k" * 32


@given(st.lists(st.text(min_size=1), unique=True, max_size=20), st.randoms())
def test_what_stands_for_a_value_depends_on_no_other_value(values: list[str], random: object) -> None:
    first, second = Vault(KEY), Vault(KEY)
    drawn = {value: first.put(value) for value in values}
    assert {value: second.put(value) for value in reversed(values)} == drawn
    assert len(set(drawn.values())) == len(values)
    for value, text in drawn.items():
        assert (first.value(text), first.placeholder(value), first.put(value)) == (value, text, text)


@promised()
@given(st.text(min_size=1), st.binary(min_size=1, max_size=32))
def test_p5_vaults_of_two_conversations_have_nothing_in_common(value: str, key: bytes) -> None:
    one, other = Vault(KEY), Vault(key)
    text = one.put(value)
    other.put(value)
    if key != KEY:
        assert other.value(text) is None


@given(st.lists(st.text(min_size=1), unique=True, max_size=9), st.integers(0, 17))
def test_beginnings_are_those_of_what_stands_for_values(values: list[str], length: int) -> None:
    vault = Vault(KEY)
    for text in [vault.put(value) for value in values]:
        assert vault.begins(text[:length])
    assert not vault.begins("Z9" * 4)


def test_nobody_sees_a_value_by_looking_at_the_vault() -> None:
    vault = Vault(KEY)
    vault.put("ann@acme.com")
    assert "acme" not in f"{vault} {vault!r} {[vault]}"
    with pytest.raises(TypeError):
        pickle.dumps(vault)
    with pytest.raises(TypeError):
        msgspec.json.encode(vault)
