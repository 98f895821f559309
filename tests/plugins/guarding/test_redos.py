"""Texts made to keep a scanner busy: twice the text takes no more than 2.3 times the time, whatever it holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.messages import TextSlot
from sentinel_plugins.guarding.entities import structured_pii
from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.finder import Finder
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.unseen import cleaned
from sentinel_plugins.guarding.views import Reader
from sentinel_plugins.injection.scorer import shipped_scorer
from tests.long_form import long_form
from tests.plugins.guarding.growth import CHARS, MOST, growth, text_of
from tests.plugins.guarding.samples import KEY_BODY, LABELLED, PERSONAL
from tests.plugins.guarding.samples import SECRETS as KEYS
from tests.plugins.guarding.test_spots import PII, SECRETS

pytestmark = long_form

SCANNER = Reader(Scanner(structured_pii()))

BEGINNINGS = {
    **{f"half of a {name}": values[0][: len(values[0]) // 2] for name, values in (*PERSONAL.items(), *KEYS.items())},
    **{f"all but the end of a {name}": f"{values[0][:-1]} " for name, values in (*PERSONAL.items(), *KEYS.items())},
    **{f"a word before a {name}": pairs[0][0] for name, pairs in LABELLED.items()},
}
"""What every kind of value begins with, again and again."""
UNEVEN = {"a zero-width space": "\u200b", "an accent": "\u0301"}
WHOLE = {
    f"whole {name} and {what}": f"{values[0]}{character}\n"
    for name, values in (*PERSONAL.items(), *KEYS.items())
    for what, character in UNEVEN.items()
}
"""Values that are found, each beside what folds to no character or to several."""
CORPUS = {
    **BEGINNINGS,
    **WHOLE,
    "one zero-width space among many addresses": "a@b.io\u200b " + "a@b.io " * 70,
    "letters": "a",
    "words that nobody ends": "a" * (CHARS - 1) + "!",
    "digits": "1",
    "digits apart": "1 ",
    "digits in groups": "4111-",
    "dots": "a.",
    "ats": "a@",
    "many ats": "@",
    "hyphens": "-",
    "domain that never ends": "x@" + "a." * 40,
    "local part that never ends": "a" * 60 + ".",
    "colons": "1:",
    "hex and colons": "ab:",
    "brackets": "((",
    "plus": "+1 ",
    "extension": "555-0143 ext ",
    "keys": "sk-",
    "equals": "api_key=",
    "begins of keys": "-----BEGIN ",
    "schemes": "a://",
    "passwords": "a://b:",
    "passwords with signs": "password: a1!b#",
    "pairs": "Password=a;User Id=b;",
    "pairs of libpq": "host=a password=b ",
    "properties of JDBC": "jdbc:x://h?password=a&",
    "half of a session token in another one": "IQoJb3JpZ2lu/" * 7 + " ",
    "bots": "123456789:AA-",
    "dates": "born 1.1.",
    "escapes of URLs": "%41",
    "escaped escapes": "%2541",
    "entities of HTML": "&#65;",
    "open entities": "&#",
    "escapes of JSON": r"\u0041",
    "halves of pairs": r"\ud83d",
    "backslashes": "\\",
    "base64": "QUFBQUFBQUFBQUFB ",
    "base64 of base64": "VVZGQ1VWRkNVVlU9 ",
    "tokens between slashes": "aB3dE5gH7jK9/",
    "tokens between underscores": "aB3dE5gH7jK9_",
    "numbers in numbers": "0x0x0x0x0x0x0x",
    "one long token": KEY_BODY,
    "keys that go on": f"r8_{KEY_BODY * 6} ",
    "heads of tokens": "-eyJ",
    "heads of tokens that name alg": "eyJhbGciOiJ9-",
    "payloads that nobody ends": "-eyJhbGciOiJ9" * 100 + ".eyJ" + "a" * 1600 + " ",
    "passwords of addresses that nobody ends": f"a://b:{'x' * 1200}/",
    "values of pairs that go on": f"host=a user=$b{'c' * 200} ",
    "a variable in many pairs": "pwd=$a;uid=b;",
    "addresses with a variable": "a://b:$c@,",
    "addresses of JDBC with a variable": "jdbc:oracle:thin:a/$b@",
    "zero-width": "1\u200b",
    "tags": "\U000e0041",
    "variation selectors": "a\ufe01",
    "combining marks": "a\u0301",
    "full width": "\uff11",
    "look-alikes": "\u0430",
    "quotes": '"',
    "ignore": "ignore all previous ",
    "blank lines": "\n",
    "colours": "\x1b[31m1",
    "colours that nobody ends": "\x1b[0;",
    "colours in escapes": r"\u001b[31m",
    "spaces": " ",
}


def slot(text: str, kind: str = "content") -> TextSlot:
    return TextSlot(("messages", 0, "content"), text, "user", kind)


def test_what_grows_with_the_square_of_its_text_is_noticed() -> None:
    assert growth(lambda text: [text.count("a", at) for at in range(0, len(text), 100)], "a") > MOST


@pytest.mark.parametrize("name", CORPUS)
def test_redos_personal_data_and_secrets_are_found_in_linear_time(name: str) -> None:
    assert growth(lambda text: (PII.changes([slot(text)]), SECRETS.changes([slot(text)])), CORPUS[name]) <= MOST


class Counting:
    """A finder that counts the characters that it is asked about."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self.max_length, self.left = finder.max_length, finder.left
        self.read = 0

    def find(self, text: str) -> Sequence[Found]:
        self.read += len(text)
        return self._finder.find(text)

    def live_from(self, text: str) -> int:
        self.read += len(text)
        return self._finder.live_from(text)

    def following(self) -> Finder:
        return self


@pytest.mark.parametrize(
    "name", ["escaped escapes", "digits in groups", "half of a US_SSN", "entities of HTML", "tags"]
)
def test_redos_what_a_stream_holds_for_long_is_not_searched_for_each_event(name: str) -> None:
    """Each of these may be the beginning of one long token in which there is a value."""
    read = []
    for chars in (CHARS, 2 * CHARS):
        text, finder = text_of(CORPUS[name], chars), Counting(SCANNER)
        stream = PII.text(kind="content", finder=finder)
        left = "".join(stream.feed(text[at : at + 4]) for at in range(0, chars, 4)) + stream.feed("", end=True)
        assert left == PII.changes([slot(text)]).get(slot(text).path, text)
        read.append(finder.read)
    assert read[1] / read[0] <= MOST
    assert read[1] <= 40 * 2 * CHARS


@pytest.mark.parametrize("name", ["digits apart", "escapes of JSON", "backslashes", "quotes", "halves of pairs", "ats"])
@pytest.mark.parametrize("written", [json.dumps, str], ids=["JSON", "no JSON"])
def test_redos_arguments_are_read_in_linear_time(name: str, written: Callable[[str], str]) -> None:
    def work(text: str) -> object:
        return PII.changes([slot('{"a": ' + written(text), "tool_arguments")])

    assert growth(work, CORPUS[name]) <= MOST


@pytest.mark.parametrize("name", ["zero-width", "tags", "variation selectors", "combining marks", "letters"])
def test_redos_what_nobody_sees_is_removed_in_linear_time(name: str) -> None:
    assert growth(cleaned, CORPUS[name]) <= MOST


@pytest.mark.parametrize(
    "name", ["letters", "ignore", "base64", "escapes of URLs", "zero-width", "spaces", "look-alikes"]
)
def test_redos_prompts_are_scored_in_linear_time(name: str) -> None:
    assert growth(shipped_scorer().score, CORPUS[name]) <= MOST


@pytest.mark.parametrize("width", [1, 2])
def test_redos_many_short_texts_take_the_time_of_one_long_one(width: int) -> None:
    """Of n values, each is looked for in n texts."""

    def work(text: str) -> object:
        values = [f"{text[at : at + 1]}{at:05d}@acme.com" for at in range(0, len(text), 40)]
        body = {"model": "m", "messages": [{"role": "user", "content": value * width} for value in values]}
        return PII.changes(Context(OPENAI_CHAT.decode_request(body)).request.texts())

    assert growth(work, "a") <= MOST
