"""A guard does the same to an answer that comes whole and to one that is streamed, whatever the order of the guards."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from sentinel_core.testing import FakeProvider
from tests.core.dialects.cuts import cut as cut_wire
from tests.plugins.guarding.guards import answering, guards, verdicts
from tests.plugins.guarding.samples import KEY_BODY, LABELLED, PERSONAL, SECRETS
from tests.plugins.guarding.test_streams import APIS, PLACES, event, events_of, lanes_of, pieces, running
from tests.plugins.guarding.texts import texts, wide_texts
from tests.properties import promised
from tests.upstream import DONE, delta

ORDERS = [("pii", "secrets"), ("secrets", "pii")]
KEY = f"sk-proj-{KEY_BODY[:40]}"
OVERLAPPING = [
    f"mail john.smith-{KEY}@acme.com now",
    "password: aB3dE5fG7hI9jK1lM2nO4@acme-corp.example.com now",
    f"see john.smith+{KEY}@acme.com or bob@acme.com now",
]
ESCAPED = r'{"mail": "bob\u0040acme.com"}'
JSON: JsonObject = {"response_format": {"type": "json_object"}}


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


async def both(
    pieces: Sequence[str],
    order: Sequence[str],
    tables: Mapping[str, TomlTable] | None = None,
    **fields: JsonValue,
) -> list[tuple[str, dict[tuple[str, str], str]]]:
    """What the caller reads, and the verdicts: of the whole answer, and of the streamed one."""
    found = []
    for stream in (False, True):
        async with guards(
            FakeProvider(tuple(pieces)), **{name: (tables or {}).get(name, {}) for name in order}
        ) as chain:
            driven = await chain.ask(stream=stream, **fields)
            found.append((driven.text, verdicts(driven)))
    return found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", OVERLAPPING)
@pytest.mark.parametrize("size", [1, 7, 500])
async def test_values_that_overlap_leave_together(order: tuple[str, ...], text: str, size: int) -> None:
    whole, streamed = await both(cut(text, size), order)
    assert streamed == whole
    assert whole[1]["secrets", "response"] == "masked"
    assert not [left for left in ("smith", "acme", KEY[:8]) if left in whole[0]]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "tables",
    [
        {"pii": {"action": "mask"}},
        {"pii": {"action": "warn"}},
        {"pii": {"mode": "monitor"}},
        {"secrets": {"mode": "monitor"}},
        {"pii": {"direction": "request"}},
    ],
    ids=str,
)
async def test_values_that_overlap_are_treated_alike_whatever_is_done_about_them(
    order: tuple[str, ...], tables: Mapping[str, TomlTable]
) -> None:
    whole, streamed = await both([OVERLAPPING[2]], order, tables)
    assert streamed == whole


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 7, 500])
@pytest.mark.parametrize(("text", "left"), [
    ("My SSN is 123456789. See 123456789, not x123456789.", "My SSN is [US_SSN]. See [US_SSN], not x123456789."),
    ("Born 01/02/1980. Since 01/02/1980, 01/02/1980", "Born [DATE_OF_BIRTH]. Since [DATE_OF_BIRTH], [DATE_OF_BIRTH]"),
    ("api_key=Zk9aLmQw82nXbC4v: set Zk9aLmQw82nXbC4v", "api_key=[LABELLED_TOKEN]: set [LABELLED_TOKEN]"),
])  # fmt: skip
async def test_a_value_that_was_found_is_replaced_where_it_stands_again(
    order: tuple[str, ...], size: int, text: str, left: str
) -> None:
    whole, streamed = await both(cut(text, size), order)
    assert streamed == whole
    assert whole[0] == left


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 7, 500])
async def test_a_known_value_that_runs_into_another_one_leaves_with_it(order: tuple[str, ...], size: int) -> None:
    mail = "anna.o-neil+news@mail.example.co.uk"
    _, streamed = await both(cut(f"{mail} and {KEY}-{mail} and {mail}", size), order)
    assert streamed[0] == "[EMAIL_ADDRESS] and [OPENAI_KEY] and [EMAIL_ADDRESS]"


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 7, 500])
async def test_a_value_is_replaced_in_json_where_a_secret_took_the_words_before_it(
    order: tuple[str, ...], size: int
) -> None:
    said = {"row": "postgres://app:s3cretPassw0rd@db.acme.com/x,SSN: 123456789", "of": "123456789", "n": 123456789}
    whole, streamed = await both(cut(json.dumps(said), size), order, **JSON)
    assert streamed == whole
    assert json.loads(whole[0]) == {"row": "[CONNECTION_STRING]: [US_SSN]", "of": "[US_SSN]", "n": "[US_SSN]"}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("levels", range(3))
async def test_an_answer_asked_for_as_json_is_read_as_json(order: tuple[str, ...], levels: int) -> None:
    text = ESCAPED
    for _ in range(levels):
        text = json.dumps({"p": text})
    whole, streamed = await both(cut(text, 6), order, **JSON)
    assert streamed == whole
    assert "bob" not in whole[0]
    assert whole[1]["pii", "response"] == "masked"


@pytest.mark.parametrize("value", ["4111 1111 1111 1111", "4111111111111111"])
async def test_a_card_behind_a_line_break_in_json_in_json_is_found(value: str) -> None:
    text = json.dumps({"text": f"Card:\n{value}\nthanks"})
    for _ in range(2):
        text = json.dumps({"args": text})
    whole, streamed = await both([text], ("pii",), **JSON)
    assert streamed == whole
    assert value not in whole[0]


def test_p6_a_guard_acts_on_a_stream_where_it_acts_on_the_whole_answer() -> None:
    @promised()
    @given(texts | wide_texts, st.integers(1, 40), st.integers(0, 1))
    def check(text: str, size: int, order: int) -> None:
        pieces = cut(text, size)
        whole, streamed = (asks[order](pieces, stream=stream) for stream in (False, True))
        assert verdicts(streamed) == verdicts(whole)

    with ExitStack() as stack:
        asks = [stack.enter_context(answering(**{name: {} for name in order})) for order in ORDERS]
        check()


SECRET = [value for values in SECRETS.values() for value in values]
SAID = [
    *(("", value) for values in PERSONAL.values() for value in values),
    *(("", value) for value in SECRET),
    *(pair for pairs in LABELLED.values() for pair in pairs),
]
BESIDE = [",", ";", "|", "-", "_", "?", "&", "/", "#", "+", ".", ":", "\\n", "%0A", "%20", "=", " "]
AGAIN = [" and ", ", then ", "\nor ", " = the old "]
"""Not such that the values may be read as one."""


@st.composite
def reports(draw: st.DrawFn) -> str:
    """Values of all kinds with the words that give them away, some right behind a secret, and again without these."""
    parts = []
    for label, value in draw(st.lists(st.sampled_from(SAID), min_size=1, max_size=4)):
        if label and draw(st.booleans()):
            parts += [draw(st.sampled_from(SECRET)), draw(st.sampled_from(BESIDE))]
        parts += [label, value]
        for between in draw(st.lists(st.sampled_from(AGAIN), max_size=3)):
            parts += [between, value]
        parts.append(" ;\n")
    return "".join(parts)


FAR = " ;\n" + "and so on " * 12 + "\n"
"""More than a guard looks back at."""


def test_p6_what_leaves_in_a_stream_is_what_leaves_of_the_whole_answer() -> None:
    """Said twice: by then everything was found, and they are alike. Ahead of its first find a value may be left."""

    @promised()
    @given(reports(), PLACES, PLACES, st.integers(0, 1))
    def check(text: str, places: list[int], wire_places: list[int], order: int) -> None:
        parts = pieces(text + FAR + text, places)
        wire = b"".join(event(delta(part), True) for part in parts) + DONE
        sent = sends[order](APIS["chat"], cut_wire(wire, wire_places))
        first, found, second = "".join(lanes_of(events_of(OPENAI_CHAT, [sent])).values()).partition(FAR)
        assert found
        assert second == (whole := asks[order]([text], stream=False).text)
        assert first == whole or left_ahead(first, whole, text)

    with ExitStack() as stack:
        tables: list[dict[str, TomlTable]] = [{name: {} for name in order} for order in ORDERS]
        asks = [stack.enter_context(answering(**table)) for table in tables]
        sends = [stack.enter_context(running(**table)) for table in tables]
        check()


def left_ahead(streamed: str, whole: str, text: str) -> bool:
    """Whether the texts differ in nothing but values that the one left."""
    values = "|".join(re.escape(value) for _, value in SAID if value in text)
    parts = re.split(r"(\[[A-Z_]+\])", whole)
    pattern = "".join(f"(?:{re.escape(part)}|{values})" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return re.fullmatch(pattern, streamed) is not None
