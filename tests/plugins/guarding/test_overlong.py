"""Secrets that are longer than what a stream holds back: one placeholder, and nothing of them is left."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import Refusal
from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.finder import Together
from sentinel_plugins.guarding.replacing import redacted
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.transducer import LONGEST_SWALLOWED, Overlong, Transducer
from sentinel_plugins.guarding.written import PlainText
from tests.plugins.guarding.growth import MOST, growth
from tests.plugins.guarding.test_transducer import cut
from tests.properties import promised

ENTITIES = secrets()
OVERLONG = {entity.name: entity for entity in ENTITIES if isinstance(entity, Overlong)}
FINDER = Together([Scanner(ENTITIES)])


def chance(length: int) -> str:
    return "".join(Random(length).choices(string.ascii_letters + string.digits, k=length))


def base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def token(length: int, head: str = '{"alg":"RS256","typ":"JWT"}') -> str:
    return ".".join((base64url(head), base64url(f'{{"groups":"{chance(length)}"}}'), chance(342)))


FORMS: dict[str, Callable[[int], str]] = {
    "JSON_WEB_TOKEN": token,
    "JSON_WEB_TOKEN with a key in its head": lambda length: token(length, f'{{"alg":"RS256","jwk":"{chance(900)}"}}'),
    "CONNECTION_STRING": lambda length: f"postgres://app:{chance(length)}@db.acme.com/x",
    "CONNECTION_STRING with a long query": lambda length: f"postgres://app:hunter2@db.acme.com/x?a={chance(length)}",
    "CONNECTION_STRING of libpq": lambda length: f"host=db.acme.com user=app password={chance(length)}",
    "CONNECTION_STRING of ADO": lambda length: f"Server=db;User Id=app;Password={chance(length)};Encrypt=true",
    "CONNECTION_STRING of JDBC": lambda length: f"jdbc:mysql://db/app?user=app&password={chance(length)}&a=b",
    "OPENAI_KEY": lambda length: f"sk-proj-{chance(length)}",
    "OPENAI_KEY of old": lambda length: f"sk-{chance(length)}",
    "AWS_SESSION_TOKEN": lambda length: f"IQoJb3JpZ2luX2VjE{chance(length)}==",
    "GITHUB_TOKEN": lambda length: f"github_pat_{chance(length)}",
    "REPLICATE_TOKEN": lambda length: f"r8_{chance(length)}",
    "GOOGLE_OAUTH_TOKEN": lambda length: f"ya29.{chance(length)}",
}


def through(*pieces: str) -> str:
    text = PlainText(
        Transducer(FINDER, lambda _: 1, lambda cluster, value: redacted(cluster.first, value), overlong=OVERLONG)
    )
    return "".join([*(text.feed(piece) for piece in pieces), text.feed("", end=True)])


@pytest.mark.parametrize("length", [120, 240, 641, 1100, 2500, 4000, 4200, 8192, 20_000])
@pytest.mark.parametrize("name", FORMS)
def test_nothing_of_a_secret_is_left_however_long_it_is(name: str, length: int) -> None:
    text = f"It is {FORMS[name](length)} (do not share it)."
    assert through(text) == f"It is [{name.partition(' ')[0]}] (do not share it)."
    assert through(*(text[at : at + 50] for at in range(0, len(text), 50))) == through(text)


@pytest.mark.parametrize("length", [510, 512, 600, 5000])
def test_what_a_word_gives_away_goes_on_as_far_as_it_can(length: int) -> None:
    assert through(f'"refresh_token": "{chance(length)}", "a": 1') == '"refresh_token": "[LABELLED_TOKEN]", "a": 1'


@pytest.mark.parametrize("length", [300, 2000])
def test_a_long_password_is_found_in_front_of_what_it_is_for(length: int) -> None:
    assert through(f"password={chance(length)} host=db user=app and more") == "[CONNECTION_STRING] and more"


@pytest.mark.parametrize(
    "text",
    [
        f"sig={chance(200)}",
        token(9000, '{"typ":"no token of this kind"}'),
        f"https://acme.com/{chance(6000)}",
        f"mongodb://{','.join(f'db{at}.acme.com:27017' for at in range(400))}",
        f"https://acme.com:8080{'你好世界。' * 1000}",
        f"jdbc:mysql://db/app?user={chance(6000)}",
    ],
)
def test_what_is_long_and_no_secret_is_left(text: str) -> None:
    assert through(text) == text


@promised()
@given(st.sampled_from([*FORMS]), st.integers(-60, 60), st.lists(st.integers(0, 10_000), max_size=8))
def test_p6_where_a_long_secret_is_cut_changes_nothing(name: str, more: int, places: list[int]) -> None:
    length = OVERLONG[name.partition(" ")[0]].max_length - 400 + 8 * more
    text = f"It is {FORMS[name](max(120, length))}; do not share it, nor {FORMS[name](700)} or this."
    assert through(*cut(text, places)) == through(text)


@pytest.mark.parametrize("inner", [f"IQoJb3JpZ2luX2VjE{chance(4200)}", token(3000), token(4000), token(9000)])
def test_secrets_of_which_one_holds_the_other_go_on_together(inner: str) -> None:
    text = f"see postgres://app:{chance(1600)}%2F-{inner}&b={chance(500)}@db.acme.com/x now"
    assert through(text) in ("see [CONNECTION_STRING] now", "see [JSON_WEB_TOKEN] now")
    assert through(*text) == through(text)


def test_one_that_never_ends_is_blocked_in_a_stream() -> None:
    with pytest.raises(Refusal, match="content_policy_violation"):
        through(f"sk-proj-{chance(LONGEST_SWALLOWED + 700)}")


@pytest.mark.parametrize("name", ["JSON_WEB_TOKEN", "CONNECTION_STRING", "CONNECTION_STRING of libpq", "OPENAI_KEY"])
def test_of_a_whole_text_the_end_is_there(name: str) -> None:
    whole = f"It is {FORMS[name](LONGEST_SWALLOWED * 3)} (do not share it)."
    text = PlainText(Transducer(FINDER, lambda _: 1, lambda one, value: redacted(one.first, value), overlong=OVERLONG))
    assert text.feed(whole, end=True) == f"It is [{name.partition(' ')[0]}] (do not share it)."


def test_p6_the_work_is_linear_in_what_goes_on() -> None:
    def work(text: str) -> None:
        Transducer(FINDER, lambda _: 1, lambda *_: "[GONE]", overlong=OVERLONG).feed(f"sk-proj-{text}", end=True)

    assert growth(work, chance(4000)) <= MOST


def test_a_placeholder_for_each_of_many() -> None:
    assert through(*[f"r8_{chance(700)} "] * 100) == "[REPLICATE_TOKEN] " * 100
    assert through(f"r8_{chance(700)} " * 100) == "[REPLICATE_TOKEN] " * 100


@pytest.mark.parametrize("behind", [" ", "-4111 1111 1111 1111 "])
def test_p6_the_work_is_linear_in_secrets_that_go_on(behind: str) -> None:
    finder = Together([Scanner((*ENTITIES, *structured_pii()))])

    def work(text: str) -> None:
        Transducer(finder, lambda _: 1, lambda *_: "[GONE]", overlong=OVERLONG).feed(text, end=True)

    assert growth(work, f"r8_{chance(700)}{behind}") <= MOST


@pytest.mark.parametrize("unit", ["host=db user=app password=b ", "r8_1 password=b host=db user=app@b.co/x "])
def test_p6_the_work_is_linear_in_values_that_overlap_in_a_chain(unit: str) -> None:
    finder = Together([Scanner((*ENTITIES, *structured_pii()))])

    def work(text: str) -> None:
        Transducer(finder, lambda _: 1, lambda *_: "[GONE]", overlong=OVERLONG).feed(text * 8, end=True)

    assert growth(work, unit) <= MOST
