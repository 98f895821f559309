"""Each kind of value is found where it is, and only there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from sentinel_plugins.guarding import entity_names
from sentinel_plugins.guarding.entities import REGIONS, secrets, structured_pii
from sentinel_plugins.guarding.entities.vendor_key import FORMS
from sentinel_plugins.guarding.entity_names import STRUCTURED
from sentinel_plugins.guarding.scanner import Scanner
from tests.plugins.guarding.samples import HARMLESS, LABELLED, PERSONAL, SECRETS

SCANNER = Scanner((*structured_pii(), *secrets()))
AROUND = (("", ""), ("It is ", " indeed."), ("(", ")"), ('{"a": "', '"}'), ("电话", "号"), ("\n", "\n"), ("é ", ", é"))


def values(text: str) -> set[tuple[str, str]]:
    return {(found.entity, text[found.start : found.end]) for found in SCANNER.find(text)}


def each(samples: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    return ((entity, value) for entity, values in samples.items() for value in values)


@pytest.mark.parametrize(("entity", "value"), [*each(PERSONAL), *each(SECRETS)])
def test_a_value_is_found_whole_wherever_it_stands(entity: str, value: str) -> None:
    for before, after in AROUND:
        assert (entity, value) in values(before + value + after), before


@pytest.mark.parametrize(
    ("entity", "label", "value"), [(entity, *pair) for entity, pairs in LABELLED.items() for pair in pairs]
)
def test_words_before_a_value_tell_what_it_is(entity: str, label: str, value: str) -> None:
    assert (entity, value) in values(f"Well, {label}{value}, they said.")
    assert entity not in {name for name, _ in values(f"Well, this {value}, they said.")}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_looks_like_a_value_and_is_none_is_left_alone(text: str) -> None:
    for before, after in AROUND[:4]:
        assert not values(before + text + after)


@pytest.mark.parametrize("value", [value for name, value in each(SECRETS) if name != "CONNECTION_STRING"])
def test_a_key_inside_a_longer_word_is_no_key(value: str) -> None:
    assert not {name for name, _ in values("x" + value)} & {form.name for form in FORMS}


def test_a_card_is_found_before_a_year() -> None:
    assert ("CREDIT_CARD", "4111 1111 1111 1111") in values("pay 4111 1111 1111 1111 2026")


@pytest.mark.parametrize("kind", [PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE])
@pytest.mark.parametrize("region", REGIONS)
def test_a_phone_number_is_found_as_its_country_writes_it(region: str, kind: int) -> None:
    number = phonenumbers.example_number_for_type(region, kind)
    assert number is not None
    for form in (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164):
        value = phonenumbers.format_number(number, form)
        assert ("PHONE_NUMBER", value) in values(f"I have {value}, please check.")


@pytest.mark.parametrize(
    "address", ["ip.addr==10.43.54.65", "host-10.43.54.65", "10.43.54.65-10.43.54.70", "10.43.54.65-c"]
)
def test_an_address_is_found_where_a_version_might_stand(address: str) -> None:
    assert ("IP_ADDRESS", "10.43.54.65") in values(f"It is {address}")


@pytest.mark.parametrize(("entity", "value"), [*each(PERSONAL)])
def test_emphasis_hides_no_value(entity: str, value: str) -> None:
    for mark in ("_", "__", "*", "**", "~~", "`"):
        if mark != "~~" or entity != "IP_ADDRESS":  # `~1.2.3.4` asks for a version
            assert entity in {name for name, _ in values(f"It is {mark}{value}{mark}, see")}, mark


@pytest.mark.parametrize("name", ["tool_{}", "x__{}", "a{}", "{}a"])
def test_what_belongs_to_a_name_is_no_number(name: str) -> None:
    for value in ("10.20.30.40", "123-45-6789", "4111111111111111", "+14155552671"):
        assert not values(name.format(value))


@pytest.mark.parametrize("behind", [": refused", ":", ":\n", ".", "]:443", "%eth0", "/64"])
def test_an_address_is_found_whatever_is_said_of_it(behind: str) -> None:
    assert values(f"connect to [2001:db8::8a2e:370:7334{behind}") == {("IP_ADDRESS", "2001:db8::8a2e:370:7334")}


@pytest.mark.parametrize("word", ["[IPv6:", "ip6:", "ip:", "host:", "hostname:", "inet6:", "addr:", "client:"])
def test_an_address_is_found_right_behind_the_colon_of_a_word(word: str) -> None:
    for address in ("2001:db8:0:1::25", "2001:db8:1:2:3:4:5:6", "fe80::1ff:fe23:4567:890a", "::ffff:10.20.30.40"):
        assert ("IP_ADDRESS", address) in values(f"see {word}{address}")


@pytest.mark.parametrize(
    "text", ["std::abc:12::1", "dead:2001:db8::g", "x::2001:db8::1", "a5:2001:db8::1", ":2001:db8::"]
)
def test_an_address_is_not_found_behind_other_colons(text: str) -> None:
    assert not values(f"see {text}")


@pytest.mark.parametrize("words", ["ip ", "ip6:", "inet6 ", "host: ", '"address": "', "hostAddr="])
@pytest.mark.parametrize("address", ["64a::", "abc::1"])
def test_a_short_address_is_found_behind_a_word(words: str, address: str) -> None:
    assert ("IP_ADDRESS", address) in values(words + address)
    assert not values(f"see {address}")


@pytest.mark.parametrize("text", ["opencv_python-4.9.0.80", "see 4.9.0.80-cp37-abi3-linux_x86_64.whl", "4.9.0.80.whl"])
def test_what_stands_in_the_name_of_a_wheel_is_a_version(text: str) -> None:
    assert not values(text)


@pytest.mark.parametrize("text", ["microphone: {}", "hotel {}", "onCall: {}", "activeCell {}", "metatext={}"])
def test_a_word_that_ends_as_a_label_does_is_none(text: str) -> None:
    assert not values(text.format("4155552671"))


@pytest.mark.parametrize(
    "text", ["contact the authors. (c) 2006-2012", "a call.\n\n2.6.1 (2019-01-07)", "call 2024/2025"]
)
def test_years_and_dates_are_no_numbers_whatever_stands_before_them(text: str) -> None:
    assert not values(text)


@pytest.mark.parametrize(
    "text",
    [
        "connect(host=host, user=None, password=None)", "auth(username=auth[0], password=auth[1])",
        "redis://[[username]:[password]]@localhost:6379/0", "scheme://[user:passwd@]proxy.server:1",
    ],
)  # fmt: skip
def test_what_programs_say_of_passwords_is_none(text: str) -> None:
    assert not values(text)


@pytest.mark.parametrize("value", ["settings.OPENAI_API_KEY_2", "DB_PASSWORD_2_OLD", "Summer2024.Holiday99"])
def test_what_stands_in_quotes_is_no_code(value: str) -> None:
    assert values(f'password = "{value}"') == {("LABELLED_TOKEN", value)}


@pytest.mark.parametrize("text", ["tel 00(0)(0)1", "call 00(0)(0)(0)", "phone +(0)(0)(0)0 0", "tel (0)(0)(0)(0)(0)"])
def test_a_number_of_which_nothing_is_left_is_none(text: str) -> None:
    """`(0)` is only dialled at home, and `00` stands in front of the code of a country."""
    assert not values(text)


PIECES = (
    *(
        "tel ",
        "phone:",
        "card ",
        "SSN",
        "DOB: ",
        "ip ",
        "token=",
        'password: "',
        "ext. 5",
        "x12",
        "==",
        "cp37",
        "2025-04-28",
    ),
    *(
        "+",
        "00",
        "0049",
        "(0)",
        "(",
        ")",
        "-",
        " ",
        ".",
        "/",
        ":",
        "::",
        "@a.b",
        "4111",
        "\u201c",
        "\xe9",
        "\uff11",
        "\n",
    ),
)


@given(st.lists(st.sampled_from(PIECES) | st.integers(0, 10**7).map(str), max_size=24).map("".join))
def test_whatever_stands_together_is_a_value_or_none(text: str) -> None:
    for entity in (*structured_pii(), *secrets()):
        for found in entity.find(text):
            assert 0 <= found.start < found.end <= len(text)
        assert 0 <= entity.live_from(text) <= len(text)


def test_an_address_is_found_at_the_end_of_a_sentence() -> None:
    assert values("I saw it at 10.20.30.40.") == {("IP_ADDRESS", "10.20.30.40")}


@pytest.mark.parametrize("mark", [".", "...", "-", "_", "~", " -", ". Keep it", "!", ", and"])
def test_a_key_is_found_before_a_sentence_ends(mark: str) -> None:
    for entity, value in each(SECRETS):
        assert entity in {name for name, _ in values(f"It is {value}{mark}")}
    for label, value in LABELLED["LABELLED_TOKEN"]:
        assert "LABELLED_TOKEN" in {name for name, _ in values(f"It is {label}{value}{mark}")}


def test_a_key_goes_on_behind_punctuation() -> None:
    assert values("token: x8KdP2qLm9ZtR4vWc7Yb.y1") == {("LABELLED_TOKEN", "x8KdP2qLm9ZtR4vWc7Yb.y1")}
    assert not values("AIzaSyA1234567890abcdefghijklmnopqrstuv-and_more")


@pytest.mark.parametrize("behind", ["", "\n", '"', "'", ",", ";", ")", ".", "...", "。", "号", "</b>", "\u201d"])
def test_a_password_with_signs_ends_where_it_is_no_more_one(behind: str) -> None:
    assert values(f"password: xK9#mP2$vL5*nQ8@wR3{behind}") == {("LABELLED_TOKEN", "xK9#mP2$vL5*nQ8@wR3")}


def test_a_key_in_front_of_another_one_is_part_of_it() -> None:
    assert values("xoxe.xoxp-1-Q7f2LmZ9xVb4Rk8TnW3y") == {("SLACK_TOKEN", "xoxe.xoxp-1-Q7f2LmZ9xVb4Rk8TnW3y")}


def test_the_full_stop_behind_a_long_key_is_no_part_of_it() -> None:
    token = SECRETS["GOOGLE_OAUTH_TOKEN"][0]
    assert values(f"It is {token}. Keep it") == {("GOOGLE_OAUTH_TOKEN", token)}


def test_a_key_is_found_in_the_address_of_a_bot() -> None:
    token = SECRETS["TELEGRAM_TOKEN"][0]
    assert ("TELEGRAM_TOKEN", token) in values(f"https://api.telegram.org/bot{token}/sendMessage")


def addresses_in(text: str) -> set[str]:
    return {value for name, value in values(text) if name == "CONNECTION_STRING"}


@pytest.mark.parametrize("before", ["+", "-", "\n+", "--url=", ". ", "+-"])
def test_a_sign_of_a_list_or_of_a_difference_hides_no_address(before: str) -> None:
    address = "git+https://bob:x001Secret99Pw@git.internal.net/app.git"
    assert addresses_in(f"{before}{address} ok") == {address}


@pytest.mark.parametrize("between", [";", ",", "|"])
def test_every_address_of_a_list_is_one(between: str) -> None:
    addresses = [f"amqp://user:x00{number}Secret99Pw@rabbit.internal.net:5672/v" for number in range(20)]
    assert addresses_in(between.join(addresses)) == set(addresses)


def test_the_hosts_of_one_address_belong_together() -> None:
    address = "mongodb://user:x001Secret99Pw@one.net:27017,two.net:27017/db"
    assert addresses_in(f"see {address}.") == {address}


@pytest.mark.parametrize("words", ["host ", "ip: ", "server at "])
def test_an_address_that_begins_as_an_object_identifier_is_found_behind_a_word(words: str) -> None:
    assert values(words + "2.5.4.3") == {("IP_ADDRESS", "2.5.4.3")}


@pytest.mark.parametrize(
    "text", ["Ann + 44 20 7946 0958", "tel. (home) + 442079460958", "+ 442079460958", "(+ 442079460958)"]
)
def test_a_plus_sign_apart_is_that_of_a_country_where_nothing_is_added(text: str) -> None:
    assert values(text) == {("PHONE_NUMBER", text[text.index("+") :].rstrip(")"))}


@pytest.mark.parametrize("row", ["7,12345678Z,Ann", "7,184127645108946,Ann", "1.X1234567L"])
def test_a_number_of_a_person_is_found_in_a_row_of_a_table(row: str) -> None:
    assert values(row)


@pytest.mark.parametrize("text", ["12345678-Z", "12345678Z-1", "X1234567L-06"])
def test_a_letter_behind_a_number_is_an_exponent_only_if_it_says_so(text: str) -> None:
    assert {name for name, _ in values(text)} == {"ES_NIF"}


@pytest.mark.parametrize("words", ["mail: {}", "E-Mail: '{}'", "<{}>", "mailto:{}", "reply-to: {}"])
def test_an_address_has_any_top_level_where_words_say_that_it_is_one(words: str) -> None:
    assert values(words.format("ann@acme.newtop")) == {("EMAIL_ADDRESS", "ann@acme.newtop")}
    assert not values("see ann@acme.newtop")


@pytest.mark.parametrize("address", ["ann@acme.com", "ann@acme.co.uk", "zhang@acme.cn"])
@pytest.mark.parametrize("text", ["{}.bak", "{}.Please", "{}(Ann)", "{}:22", "{}."])
def test_what_stands_behind_an_address_is_no_part_of_it(text: str, address: str) -> None:
    assert values(text.format(address)) == {("EMAIL_ADDRESS", address)}


@pytest.mark.parametrize("sign", ["+", "%"])
def test_a_sign_before_an_address_hides_it_not(sign: str) -> None:
    assert values(f"({sign}ann@acme.com)") == {("EMAIL_ADDRESS", f"{sign}ann@acme.com")}


def test_a_private_key_that_was_cut_off_is_found() -> None:
    begun = "\n".join(SECRETS["PRIVATE_KEY"][0].splitlines()[:4])
    assert ("PRIVATE_KEY", begun) in values(begun)


def test_only_the_token_is_the_value_not_the_words_before_it() -> None:
    text = "password: vQ9xL2mZ7tRk4WnB8s"
    assert values(text) == {("LABELLED_TOKEN", "vQ9xL2mZ7tRk4WnB8s")}


def test_national_numbers_are_those_of_the_regions() -> None:
    german = Scanner(structured_pii(regions=("DE",)))
    assert not german.find("12345678Z and RSSMRA85T10A562S and 123-45-6789")
    assert [found.entity for found in german.find("86 095 742 719")] == ["DE_TAX_ID"]
    assert not german.find("020 7946 0958")


def test_configurations_know_the_names_of_all_that_is_looked_for() -> None:
    assert sorted({entity.name for entity in structured_pii()}) == list(STRUCTURED)
    assert sorted({entity.name for entity in secrets()}) == list(entity_names.SECRETS)
