"""What of a provider's table is struck from its errors: secrets and the address, however they stand there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.config import Secret
from sentinel_core.errors import ERRORS, MAX_MESSAGE_CHARS, MAX_WORD_CHARS, UpstreamError
from sentinel_core.upstream import BaseUrlConfig, Withheld

KEY = "gw_7f3a9c-internal"
URL = "http://10.1.2.3:8497/v1"
OVERLAPPING = ("12345678", "56789012", "123456789")


class Headed(BaseUrlConfig, frozen=True, kw_only=True):
    """A table of somebody else's provider, with secrets in several places."""

    base_url: str = URL
    headers: dict[str, Secret] | None = None
    further: tuple[dict[str, Any], ...] = ()  # Any: nested as a table may be


def secret(text: str) -> Secret:
    return Secret(text, "TEST")


def struck(said: str, *keys: str, url: str = URL) -> str:
    """What is left of a message where these are the secrets."""
    error = UpstreamError("upstream_error", said)
    Withheld(Headed(base_url=url, further=tuple({"key": secret(key)} for key in keys))).strike(error)
    return error.message


def test_every_text_of_an_error_is_without_the_key() -> None:
    said = f"of {KEY}."
    error = UpstreamError("invalid_request", said, type=said, param=said, wire_code=said, verbatim=True)
    Withheld(Headed(api_key=secret(KEY))).strike(error)
    assert {error.message, error.type, error.param, error.told_code} == {"of [secret]."}
    assert (error.code, error.verbatim, str(error)) == ("invalid_request", True, "invalid_request: of [secret].")


def test_every_secret_of_the_table_is_withheld_wherever_it_stands() -> None:
    keys = [f"{KEY}-{number}" for number in range(3)]
    table = Headed(
        api_key=secret(keys[0]),
        headers={"x-team": secret(f" {keys[1]} ")},  # a header's value has no spaces around it when it arrives
        further=({"deep": [secret(keys[2])]},),
    )
    error = UpstreamError("upstream_error", " ".join(keys))
    Withheld(table).strike(error)
    assert error.message == "[secret] [secret] [secret]"


def test_credentials_are_withheld_without_their_scheme_as_well() -> None:
    assert struck(f"bad token {KEY}, sent as Bearer {KEY}", f"Bearer {KEY}") == "bad token [secret], sent as [secret]"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("is 123456789012.", "is [secret]."),
        ("is 123456789.", "is [secret]."),
        ("is 1234567856789012", "is [secret][secret]"),
        ("1234567812345678", "[secret][secret]"),
    ],
)
def test_of_secrets_that_overlap_no_part_is_left(said: str, shown: str) -> None:
    assert struck(said, *OVERLAPPING) == shown


def test_a_secret_that_may_be_an_ordinary_word_is_not_looked_for() -> None:
    assert struck("the test has no key", "test", "key", "") == "the test has no key"


@pytest.mark.parametrize("url", [URL, URL + "/", "http://10.1.2.3:8497"])
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no http://10.1.2.3:8497/v1/models", "no [address]/v1/models"),
        ("cannot connect to 10.1.2.3:8497", "cannot connect to [address]"),
    ],
)
def test_the_address_is_withheld(said: str, shown: str, url: str) -> None:
    assert struck(said, url=url) == shown


def test_a_host_that_may_be_a_word_is_withheld_as_an_address_only() -> None:
    said = "mistral-nemo at http://mistral-nemo/v1"
    assert struck(said, url="http://mistral-nemo/v1") == "mistral-nemo at [address]/v1"


def test_what_is_not_the_providers_stays_as_it_is() -> None:
    error = UpstreamError("upstream_error", "context length 8192 exceeded", param="input", wire_code="too_long")
    Withheld(Headed(api_key=secret(KEY))).strike(error)
    assert (error.message, error.param, error.told_code) == ("context length 8192 exceeded", "input", "too_long")


def test_of_a_secret_at_the_cut_nothing_is_left() -> None:
    room = MAX_MESSAGE_CHARS - len(KEY)
    assert struck("." * room + KEY, KEY) == "." * room + "[secret]"
    for missing in range(1, len(KEY) + 1):
        filling = "." * (room + missing)
        assert struck(filling + KEY, KEY) == filling


def test_a_secret_longer_than_any_text_leaves_the_codes_own_words() -> None:
    key = "k" + "1234567890" * 60
    error = UpstreamError("upstream_error", key, type=key, param=key, wire_code=key)
    Withheld(Headed(api_key=secret(key))).strike(error)
    kind = ERRORS["upstream_error"]
    assert (error.message, error.type, error.param, error.told_code) == (kind.message, kind.type, None, error.code)


def test_the_words_of_an_upstream_are_cut() -> None:
    long = "x" * 10_000
    error = UpstreamError("upstream_error", long, type=long, param=long, wire_code=long)
    assert len(error.message) == MAX_MESSAGE_CHARS
    assert {len(error.type), len(error.param or ""), len(error.told_code)} == {MAX_WORD_CHARS}


@given(st.lists(st.text("ab", min_size=8, max_size=12), max_size=4), st.data())
def test_no_secret_is_left_whatever_surrounds_it(keys: list[str], data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.one_of(st.text("ab.", max_size=9), st.sampled_from(["", *keys])), max_size=30))
    said = ".".join(["", *pieces])
    shown = struck(said, *keys)
    assert not any(key in shown for key in keys)
    assert shown.count(".") == said.count(".") or not pieces
