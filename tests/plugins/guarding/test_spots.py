"""Where values are said to stand is where they are replaced."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sentinel_core.messages import TextSlot
from sentinel_plugins.guarding.config import ReplacingConfig
from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.policy import finder_of
from sentinel_plugins.guarding.redaction import Merged, Redaction
from sentinel_plugins.guarding.replacing import REPLACEMENTS
from sentinel_plugins.pii.config import PiiConfig
from sentinel_plugins.secrets.config import SecretsConfig
from tests.plugins.guarding.texts import texts


def redaction(config: ReplacingConfig, *, secret: bool = False) -> Redaction:
    policy = config.policy("g", "secret" if secret else "pii", secrets() if secret else structured_pii())
    return Redaction(Merged(policy, finder_of([policy])), REPLACEMENTS, lambda entity, action: None)


PII = redaction(PiiConfig())
SECRETS = redaction(SecretsConfig(), secret=True)
BLOCKS = redaction(PiiConfig(action="block"))


def slot(text: str, kind: str = "content") -> TextSlot:
    return TextSlot(("messages", 0, "content"), text, "user", kind)


def replaced(redaction: Redaction, text: TextSlot) -> str:
    """The text with a stand-in at every place that is told."""
    left = text.text
    for _, spot, _ in reversed([*redaction.spots([text])]):
        left = f"{left[: spot.start]}[{spot.found.entity}]{left[spot.end :]}"
    return left


@given(texts)
def test_what_stands_at_the_places_is_all_that_is_replaced(text: str) -> None:
    for one in (PII, SECRETS):
        assert replaced(one, slot(text)) == one.changes([slot(text)]).get(slot(text).path, text)


@given(texts, st.booleans())
def test_places_in_arguments_are_those_of_the_json_as_it_is_written(text: str, ascii_only: bool) -> None:
    written = slot(json.dumps({"to": [text, "x"]}, ensure_ascii=ascii_only), "tool_arguments")
    for one in (PII, SECRETS):
        assert replaced(one, written) == one.changes([written]).get(written.path, written.text)


def test_a_value_in_a_number_has_the_place_of_its_digits() -> None:
    text = slot('{"card": 4111111111111111, "x": 1}', "tool_arguments")
    ((_, spot, action),) = PII.spots([text])
    assert (text.text[spot.start : spot.end], spot.found.entity, action) == (
        *("4111111111111111", "CREDIT_CARD"),
        "redact",
    )


def test_the_whole_of_a_key_that_is_longer_than_its_longest_form_is_one_place() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIabc/+" * 4_000 + "\n-----END PRIVATE KEY-----"
    ((_, spot, _),) = SECRETS.spots([slot(f"see {key} there")])
    assert (spot.start, spot.end) == (4, 4 + len(key))


def test_what_blocks_is_told_and_refuses_nothing() -> None:
    found = [*BLOCKS.spots([slot("ann@acme.com and bob@acme.com")])]
    assert [(spot.start, spot.end, action) for _, spot, action in found] == [(0, 12, "block"), (17, 29, "block")]


def test_a_known_value_is_told_wherever_it_stands() -> None:
    first, second = slot("my ssn: 123456789"), replace(slot("so 123456789 it is"), path=("messages", 1, "content"))
    found = [(place.path[1], spot.start) for place, spot, _ in PII.spots([first, second])]
    assert found == [(0, 8), (1, 3)]
