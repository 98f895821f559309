"""P6: what is found does not depend on where a text was cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.entity import Entity
from sentinel_plugins.guarding.scanner import Scanner
from tests.plugins.guarding.texts import texts
from tests.properties import promised

ENTITIES = (*structured_pii(), *secrets())
SCANNER = Scanner(ENTITIES)


@promised()
@given(texts, st.data())
def test_p6_what_crosses_a_cut_begins_where_something_lived(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)), "cut")
    for entity in ENTITIES:
        live = entity.live_from(text[:cut])
        crossing = [found for found in entity.find(text) if found.start < cut <= found.end]
        assert all(found.start >= live for found in crossing), (entity.name, live, crossing)


@promised()
@given(texts, st.data())
def test_p6_what_is_found_before_something_lived_stays_found(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)), "cut")
    for entity in ENTITIES:
        live = entity.live_from(text[:cut])
        early = [found for found in entity.find(text[:cut]) if found.end <= live and found.end < cut]
        assert early == [found for found in entity.find(text) if found.end <= live and found.end < cut], entity.name


@promised()
@given(texts)
def test_p6_a_scanner_lives_where_the_first_of_its_entities_does(text: str) -> None:
    first = min(entity.live_from(text) for entity in ENTITIES)
    assert first - SCANNER.max_length <= SCANNER.live_from(text) <= first


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
def test_nothing_is_held_for_longer_than_a_value_is(entity: Entity) -> None:
    for text in ("a" * 9000, "1" * 9000, "-----BEGIN PRIVATE KEY-----" + "A" * 9000, "eyJ" * 3000, "1 " * 4500):
        assert entity.live_from(text) >= len(text) - entity.max_length


@pytest.mark.parametrize("text", ["The end. ", "A sentence, and ", "x = f(a) ", "你好。", "done!\n", "a b c; "])
def test_prose_is_not_held(text: str) -> None:
    assert SCANNER.live_from(text) == len(text)


@pytest.mark.parametrize(
    "text", ["bob@", "call +44 20 ", "4111 1111 ", "sk-ant-", "-----BEGIN RSA ", "https://a:b", "DE8", "4 Ju"]
)
def test_beginnings_are_held(text: str) -> None:
    start = 5 if text.startswith("call ") else 0
    assert SCANNER.live_from(f"Well: {text}") <= len("Well: ") + start


@pytest.mark.parametrize("text", ["+1-800-555-0199 x123", "+44 20 7946 0958 ext. 12", "(555) 123-4567, x 9"])
def test_an_extension_is_waited_for_however_the_number_begins(text: str) -> None:
    whole = SCANNER.find(text)[0].end
    assert [SCANNER.live_from(text[:cut]) for cut in range(1, whole)] == [0] * (whole - 1)
