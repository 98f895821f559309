"""All entities at once find what each of them finds alone."""

from __future__ import annotations

from hypothesis import given

from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.scanner import Scanner
from tests.plugins.guarding.texts import texts

ENTITIES = (*structured_pii(), *secrets())
SCANNER = Scanner(ENTITIES)


@given(texts)
def test_a_trigger_is_there_wherever_a_value_is(text: str) -> None:
    alone = sorted(found for entity in ENTITIES for found in entity.find(text))
    assert sorted(SCANNER.find(text)) == alone


@given(texts)
def test_values_come_from_left_to_right(text: str) -> None:
    found = SCANNER.find(text)
    assert [one.start for one in found] == sorted(one.start for one in found)


@given(texts)
def test_values_of_one_entity_do_not_overlap_and_are_no_longer_than_it_says(text: str) -> None:
    for entity in ENTITIES:
        end = 0
        for found in entity.find(text):
            assert end <= found.start < found.end <= found.start + entity.max_length
            end = found.end


@given(texts)
def test_what_stands_further_left_than_an_entity_says_decides_nothing(text: str) -> None:
    for entity in ENTITIES:
        for found in entity.find(text):
            away = max(0, found.start - entity.left)
            again = [(one.start + away, one.end + away) for one in entity.find(text[away:])]
            assert (found.start, found.end) in again or any(a < found.start < b for a, b in again), entity.name


def test_offsets_are_those_of_the_text_whatever_stands_before() -> None:
    text = "🙂 ünï 号 \ud800 bob@acme.com"
    (found,) = SCANNER.find(text)
    assert text[found.start : found.end] == "bob@acme.com"


def test_values_of_two_entities_may_overlap() -> None:
    text = "postgres://bob:hunter2@db.internal/app"
    assert [found.entity for found in SCANNER.find(text)] == ["CONNECTION_STRING", "EMAIL_ADDRESS"]


def test_a_scanner_of_nothing_finds_nothing() -> None:
    nothing = Scanner(())
    assert (nothing.find("bob@acme.com"), nothing.live_from("bob@"), nothing.max_length) == ([], 4, 0)
