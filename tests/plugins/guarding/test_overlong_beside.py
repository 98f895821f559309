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
