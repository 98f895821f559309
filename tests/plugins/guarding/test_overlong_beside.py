"""Secrets longer than what a stream holds back, with personal data in them, for both guards in either order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sentinel_core.json_types import JsonValue
from sentinel_core.testing import FakeProvider
from tests.plugins.guarding.guards import Ask, answering, guards, sent
from tests.plugins.guarding.test_overlong import chance

ORDERS = (("pii", "secrets"), ("secrets", "pii"))
PERSONAL = ("-4111-1111-1111-1111-", ".10.1.2.30.", "-212-555-0188-")
SECRETS = {
    **{f"It is api_key={chance(600)}{value}{chance(40)} here": "api_key=[LABELLED_TOKEN]" for value in PERSONAL},
    f"It is eyJhbGciOiJSUzI1NiJ9.eyJ{chance(9000)}-123-45-6789-{chance(40)} here": "[JSON_WEB_TOKEN]",
    f"It is postgres://app:pw@h/{chance(6000)}.10.1.2.30.{chance(40)} here": "[CONNECTION_STRING]",
}
FORMS = {
    "[JSON_WEB_TOKEN]": lambda length: f"eyJhbGciOiJSUzI1NiJ9.eyJ{chance(length)}.{chance(300)}",
    "[CONNECTION_STRING]": lambda length: f"postgres://app:pw@h/{chance(length)}",
}
OVER_THE_END = {
    "-GB82 WEST 1234 5698 7654 32 and": "",
    "-4111 1111 1111 1111 and": "",
    "_123-45-6789 and": "",
    " 415-555-2671 and": " [PHONE_NUMBER]",
    "\n415-555-2671 and": "\n[PHONE_NUMBER]",
    " bob@acme.com and": " [EMAIL_ADDRESS]",
}


@pytest.fixture(scope="module", params=ORDERS, ids="-".join)
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    with answering(**{name: {} for name in request.param}) as ask:
        yield ask


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
@pytest.mark.parametrize("text", SECRETS, ids=range(len(SECRETS)))
async def test_p5_nobody_reads_in_what_goes_on_of_another_guards_value(order: tuple[str, ...], text: str) -> None:
    async with guards(FakeProvider(("ok",)), **{name: {} for name in order}) as chain:
        assert sent(await chain.ask(text)) == f"It is {SECRETS[text]} here"


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
async def test_p5_a_value_over_two_messages_is_found_behind_such_a_secret(order: tuple[str, ...]) -> None:
    text = f"It is r8_{chance(900)} here. {'a b c ' * 600}It is 4111 1111 "
    said: list[JsonValue] = [{"role": "user", "content": text}, {"role": "user", "content": "1111 1111."}]
    async with guards(FakeProvider(("ok",)), **{name: {} for name in order}) as chain:
        driven = await chain.ask(messages=said)
    assert [message["content"] for message in driven.sent[-1].request.body["messages"]] == [
        f"It is [REPLICATE_TOKEN] here. {'a b c ' * 600}It is [CREDIT_CARD]",
        "[CREDIT_CARD].",
    ]


@pytest.mark.parametrize("size", [7, 50, 5000])
@pytest.mark.parametrize("text", SECRETS, ids=range(len(SECRETS)))
def test_p6_nor_in_an_answer_whole_or_streamed(ask: Ask, text: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert ask([text], stream=False).text == f"It is {SECRETS[text]} here"
    assert ask(pieces, stream=True).text == f"It is {SECRETS[text]} here"


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
@pytest.mark.parametrize("behind", OVER_THE_END)
@pytest.mark.parametrize("name", FORMS)
async def test_p5_a_value_that_begins_in_a_secret_goes_with_it(order: tuple[str, ...], name: str, behind: str) -> None:
    async with guards(FakeProvider(("ok",)), **{name: {} for name in order}) as chain:
        for length in (500, 9000):
            assert sent(await chain.ask(FORMS[name](length) + behind)) == f"{name}{OVER_THE_END[behind]} and"


@pytest.mark.parametrize("behind", OVER_THE_END)
@pytest.mark.parametrize("name", FORMS)
def test_p6_also_in_an_answer_whole_or_streamed(ask: Ask, name: str, behind: str) -> None:
    for length in (500, 9000):
        text = FORMS[name](length) + behind
        assert ask([text], stream=False).text == f"{name}{OVER_THE_END[behind]} and"
        for size in (7, 3000):
            pieces = [text[at : at + size] for at in range(0, len(text), size)]
            assert ask(pieces, stream=True).text == f"{name}{OVER_THE_END[behind]} and"


def test_p5_a_value_right_behind_a_secret_is_read_as_if_nothing_were_before_it(ask: Ask) -> None:
    text = f"sk-proj-{chance(700)}+postgres://app:Ca5SQD270@db.acme.com/x."
    assert ask([text], stream=False).text == "[OPENAI_KEY]+[CONNECTION_STRING]."


def test_p5_what_stands_right_behind_such_a_value_is_not_taken_for_more_of_the_secret(ask: Ask) -> None:
    text = f"api_key={chance(600)}-4111 1111 1111 1111/see and"
    assert ask([text], stream=False).text.replace(" ", "") == "api_key=[LABELLED_TOKEN]/seeand"


def test_p5_what_stands_behind_such_a_value_is_read(ask: Ask) -> None:
    text = f"{FORMS['[CONNECTION_STRING]'](9000)}-4111 1111 1111 1111 and 4111 1111 1111 1111"
    assert ask([text], stream=False).text == "[CONNECTION_STRING] and [CREDIT_CARD]"


def test_a_picture_behind_a_word_for_secrets_is_replaced_whole(ask: Ask) -> None:
    text = f'{{"image_token": "{chance(80_000)}", "rest": "bob"}}'
    assert ask([text], stream=False).text == '{"image_token": "[LABELLED_TOKEN]", "rest": "bob"}'
    assert ask([text], stream=True).error is not None
