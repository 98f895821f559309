"""H40-H45: a value in disguise is found, as the places of the text that it was written in."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Callable
from itertools import accumulate, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding import encoded, escapes
from sentinel_plugins.guarding.custom import Custom, CustomTable
from sentinel_plugins.guarding.encoded import LONGEST_TOKEN
from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.entities.email import email_address
from sentinel_plugins.guarding.finder import Finder
from sentinel_plugins.guarding.folding import folded
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.transducer import Transducer, joined
from sentinel_plugins.guarding.unseen import cleaned
from sentinel_plugins.guarding.views import Reader, views
from tests.long_form import long_form
from tests.plugins.guarding.disguises import ADDRESS_ONLY, DISGUISES
from tests.plugins.guarding.samples import HARMLESS, PERSONAL, SECRETS
from tests.plugins.guarding.texts import texts
from tests.properties import promised

SCANNER = Scanner((*structured_pii(), *secrets()))
READER = Reader(SCANNER)
ADDRESSES = Reader(Scanner([email_address()]))
NUMBER = Custom("OWN_NUMBER", "pii", CustomTable(pattern=r"E-\d{2,6}", max_length=8))
PASS = Custom("OWN_PASS", "secret", CustomTable(pattern=r"[Йй]ж+\d{0,3}", max_length=16))
CUSTOMS = (Reader(Scanner([]), (NUMBER, PASS)), Reader(SCANNER, (NUMBER, PASS)))
PLAIN = {"EMAIL_ADDRESS": "bob@acme.com", "US_SSN": "123-45-6789", "CREDIT_CARD": "4111-1111-1111-1111"}

COLOURS = ["\x1b[31m", "\x1b[38;2;255;100;0m", "\x1b[K", "\x1b(B", "\\u001b[1;32m", r"\033[0m", r"\e[0;36m"]
"""What terminals are told (ECMA-48), as it is and as programs write it."""

WORDS = ["", "see ", "Тут: ", "🙂 ", "号", "a = ", "50% of R&D \\ "]


def found(text: str) -> set[tuple[str, int, int]]:
    return {(one.entity, one.start, one.end) for one in READER.find(text)}


def of_row(row: str) -> pytest.MarkDecorator:
    """Every value in every disguise of a row."""
    cases = [
        pytest.param(entity, disguise, id=f"{name}: {entity}")
        for name, disguise in DISGUISES.items()
        for entity in PLAIN
        if name.startswith(row)
    ]
    return pytest.mark.parametrize(("entity", "disguise"), cases)


def is_found_where_its_twin_is(entity: str, disguise: Callable[[str], str]) -> None:
    for before, after in product(WORDS, WORDS):
        plain, hidden = PLAIN[entity], disguise(PLAIN[entity])
        assert (entity, len(before), len(before) + len(plain)) in found(f"{before}{plain} {after}"), "the plain twin"
        text = f"{before}{hidden} {after}"
        spans = [(start, end) for name, start, end in found(text) if name == entity]
        start, end = min(spans)[0], max(end for _, end in spans)
        outside = text[:start] + text[end:]
        assert not any(name == entity for name, _, _ in found(outside))
        assert len(outside) <= len(before) + len(after) + 3, "all of it is taken out"


@of_row("h40")
def test_h40_zero_width_characters_hide_no_value(entity: str, disguise: Callable[[str], str]) -> None:
    is_found_where_its_twin_is(entity, disguise)


@of_row("h41")
def test_h41_tags_and_variation_selectors_carry_no_value_past(entity: str, disguise: Callable[[str], str]) -> None:
    is_found_where_its_twin_is(entity, disguise)


@of_row("h42")
def test_h42_look_alikes_hide_no_value(entity: str, disguise: Callable[[str], str]) -> None:
    is_found_where_its_twin_is(entity, disguise)


@of_row("h43")
def test_h43_bidi_controls_hide_no_value(entity: str, disguise: Callable[[str], str]) -> None:
    is_found_where_its_twin_is(entity, disguise)


@of_row("h44")
def test_h44_encodings_hide_no_value(entity: str, disguise: Callable[[str], str]) -> None:
    is_found_where_its_twin_is(entity, disguise)


@of_row("h45")
def test_h45_digits_of_other_scripts_and_signs_between_them_hide_no_value(
    entity: str, disguise: Callable[[str], str]
) -> None:
    is_found_where_its_twin_is(entity, disguise)


@pytest.mark.parametrize("disguise", ADDRESS_ONLY.values(), ids=ADDRESS_ONLY)
def test_h44_an_address_in_rot13_is_still_one(disguise: Callable[[str], str]) -> None:
    assert found(disguise("bob@acme.com")) == {("EMAIL_ADDRESS", 0, 12)}


def test_a_key_in_disguise_is_found() -> None:
    key = "AKIAIOSFODNN7EXAMPLE"
    for name in ("h40 word joiner", "h42 full width", "h44 base64", "h44 hexadecimal", "h44 json"):
        assert "AWS_ACCESS_KEY" in {entity for entity, _, _ in found(DISGUISES[name](key))}, name


def inside_json(value: str, before: str, after: str) -> str:
    return json.dumps({"log": before + value + after})


def inside_json_twice(value: str, before: str, after: str) -> str:
    return json.dumps({"body": inside_json(value, before, after)})


def with_slashes_escaped(value: str, before: str, after: str) -> str:
    return inside_json(value, before, after).replace("/", "\\/")


def with_signs_escaped(value: str, before: str, after: str) -> str:
    return inside_json(value, f"{before}<", f">{after}").replace("<", "\\u003c").replace(">", "\\u003e")


VALUES = [(entity, value) for samples in (PERSONAL, SECRETS) for entity, values in samples.items() for value in values]


@pytest.mark.parametrize("around", ["\n", "\t", "\r", '"', "\\"], ids=repr)
@pytest.mark.parametrize("written", [inside_json, inside_json_twice, with_slashes_escaped, with_signs_escaped])
def test_h44_a_value_behind_an_escape_of_json_is_found_and_what_is_left_is_still_json(
    written: Callable[[str, str, str], str], around: str
) -> None:
    for entity, value in VALUES:
        text = written(value, f"first line{around}", f"{around}end")
        spans = {(start, end) for _, start, end in found(text)}
        covered = {at for start, end in spans for at in range(start, end)}
        left = "".join("*" if at in covered else character for at, character in enumerate(text))
        assert entity in {name for name, _, _ in found(text)}, text
        assert "first line" in left, left
        assert "end" in left or entity == "PRIVATE_KEY", left
        assert value not in str(json.loads(left)), left


@pytest.mark.parametrize("colour", COLOURS, ids=repr)
def test_the_colours_of_a_terminal_hide_no_value(colour: str) -> None:
    for entity, value in VALUES:
        start = len(f"web | {colour}")
        assert (entity, start, start + len(value)) in found(f"web | {colour}{value}{colour} ok"), value


def test_the_letter_of_an_escape_is_not_the_first_of_a_name() -> None:
    assert found(r"first\nann@acme.com") == {("EMAIL_ADDRESS", 7, 19)}
    assert found(r"\u003cann@acme.com\u003e") == {("EMAIL_ADDRESS", 6, 18)}
    assert found(r"%3Cann@acme.com%3E") == {("EMAIL_ADDRESS", 3, 15)}
    assert found(r"C:\users\ann@acme.com") == {("EMAIL_ADDRESS", 9, 21)}, "no escape"


def test_what_an_unseen_character_parts_from_a_word_is_found_behind_its_escape() -> None:
    text = json.dumps("see\u200b\u200bAKIAIOSFODNN7EXAMPLE")
    assert found(text) == {("AWS_ACCESS_KEY", 16, 36)}


def test_a_finding_in_a_token_is_the_whole_token() -> None:
    token = base64.b64encode(b'{"user": "bob@acme.com"}').decode()
    assert found(f"data: {token}, ok") == {("EMAIL_ADDRESS", 6, 6 + len(token))}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *(
            ("https://a.test/u/", ""),
            ("https://a.test/u/", "/v2/report-2024_final"),
            ("/", "/"),
            ("/api/v1/file_Abc123XY_", ""),
        ),
        *(
            ("id_", ""),
            ("token-", "-v2"),
            ("SESSION_", "_OLD"),
            ("user/id_", ""),
            ("id_", "/raw/file-1"),
            ("Ab3-Cd4_Ef5/", ""),
        ),
    ],
)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.b32encode])
def test_a_token_in_an_address_or_behind_a_name_is_read(
    before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    token = encode(b'{"user": "bob@acme.com"}').decode().rstrip("=")
    assert found(f"see {before}{token}{after} x") == {("EMAIL_ADDRESS", 4 + len(before), 4 + len(before) + len(token))}


def test_a_token_with_a_slash_of_its_own_is_read_behind_a_name() -> None:
    token = base64.b64encode(b"is it??? ask bob@acme.com???").decode()
    assert "/" in token
    assert found(f"id_{token}") == {("EMAIL_ADDRESS", 3, 3 + len(token))}
    assert found(f"https://a.test/{base64.urlsafe_b64encode(b'is it??? ask bob@acme.com???').decode()}")


@pytest.mark.parametrize("before", ["0x", "0X", "id_0x", "/tx/0x"])
def test_a_number_in_hexadecimal_digits_is_read(before: str) -> None:
    token = b"bob@acme.com".hex()
    assert found(f"{before}{token}") == {("EMAIL_ADDRESS", len(before), len(before) + len(token))}


def test_every_token_of_an_address_is_read() -> None:
    token = base64.b64encode(b"bob@acme.com").decode()
    assert found(f"/{token}/x/id_{token}") == {("EMAIL_ADDRESS", 1, 17), ("EMAIL_ADDRESS", 23, 39)}


def test_bytes_that_are_no_text_hide_nothing_beside_them() -> None:
    assert found("%62%6f%62%40%61%63%6d%65%2e%63%6f%6d%ff") == {("EMAIL_ADDRESS", 0, 39)}


def test_three_encodings_are_one_more_than_is_read() -> None:
    token = base64.b64encode(base64.b64encode(base64.b64encode(b"bob@acme.com is here"))).decode()
    assert not found(token)


def test_a_token_beyond_the_cap_is_not_decoded() -> None:
    assert not ADDRESSES.find(base64.b64encode(b"bob@acme.com " * LONGEST_TOKEN).decode())
    assert ADDRESSES.find(base64.b64encode(b"bob@acme.com " * (LONGEST_TOKEN // 20)).decode())


@long_form
@pytest.mark.parametrize("text", HARMLESS)
def test_views_of_harmless_texts_are_harmless(text: str) -> None:
    for written in (text, base64.b64encode(f"It is {text}, I think".encode()).decode(), text.replace("-", "\u2011")):
        assert not READER.find(written)


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox",
        "Съешь же ещё этих мягких булок, да выпей чаю",
        "日本語のテキストです",
        "Café für Anaïs 👍",
        "a\n\tb",
    ],
)
def test_plain_texts_of_any_script_have_no_views(text: str) -> None:
    assert not list(views(text))


@given(texts)
def test_what_the_scanner_finds_the_reader_finds(text: str) -> None:
    found = set(READER.find(text))
    for one in SCANNER.find(text):
        rests = {other.start for other in found if (other.entity, other.end) == (one.entity, one.end)}
        assert any(start == one.start or escapes_end_at(text, one.start, start) for start in rests)


def escapes_end_at(text: str, begun: int, end: int) -> bool:
    """Whether `text[begun:end]` is the rest of an escape, or of one in another."""
    written = [text[start:end] for start in range(max(0, begun - 11), begun + 1)]
    return any(escapes.unescaped(one)[0] != one for one in written)


@given(texts)
def test_findings_are_places_of_the_text(text: str) -> None:
    assert all(0 <= one.start < one.end <= len(text) for one in READER.find(text))


disguised = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([*DISGUISES.values()]), st.sampled_from([*PLAIN.values()])).map(
            lambda pair: pair[0](pair[1])
        ),
        texts,
        st.sampled_from(
            [
                " ",
                "",
                "%",
                "&",
                "\\",
                "&#",
                "\\u00",
                "QUJD",
                "\u200b",
                "\U000e0041",
                "\ufe0f",
                "\x1b[",
                "\x1b[0;3",
                "4m",
                *COLOURS,
            ]
        ),
    ),
    max_size=4,
).map("".join)


@promised()
@given(disguised, st.data())
def test_p6_what_crosses_a_cut_in_disguise_begins_where_something_lived(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)), "cut")
    live = READER.live_from(text[:cut])
    crossing = [one for one in READER.find(text) if one.start < cut <= one.end]
    assert all(one.start >= live for one in crossing), (live, crossing)


@pytest.mark.parametrize("reader", CUSTOMS, ids=["alone", "with entities"])
@pytest.mark.parametrize("name", [name for name in DISGUISES if name[:3] != "h45"])
def test_a_value_of_a_pattern_of_ones_own_is_found_in_disguise(name: str, reader: Finder) -> None:
    disguised = DISGUISES[name]("E-123456")
    text = f"see {disguised} now"
    spans = [(one.start, one.end) for one in reader.find(text) if one.entity == "OWN_NUMBER"]
    rest = text[: min(spans)[0]] + text[max(end for _, end in spans) :]
    assert rest.startswith("see ")
    assert not [one for one in reader.find(cleaned(rest)) if one.entity == "OWN_NUMBER"]


@pytest.mark.parametrize("reader", CUSTOMS, ids=["alone", "with entities"])
def test_what_is_forwarded_without_unseen_characters_is_read_so_in_any_script(reader: Finder) -> None:
    """Folded, these letters would be others than those of the pattern."""
    for value in ("Й\u200bжж1", "й\u2066ж\u00adж", r"й\u200bжж"):
        text = f"ж \u200b{value}"
        assert [text[one.start : one.end] for one in reader.find(text)] == [value]
        assert reader.find(cleaned(text))


@pytest.mark.parametrize("reader", CUSTOMS, ids=["alone", "with entities"])
@pytest.mark.parametrize("value", ["и\u0306жж1", "И\u0306ж", r"\u0438\u0306ж", "и\u200b\u0306ж2"])
def test_a_letter_and_its_mark_are_the_letter_of_a_pattern(reader: Finder, value: str) -> None:
    text = f"ж {value}, э\u0308ж"
    assert [text[one.start : one.end] for one in reader.find(text)] == [value]


def test_a_value_in_korean_is_found_also_in_letters_that_stand_apart() -> None:
    reader = Reader(Scanner([]), (Custom("OWN", "pii", CustomTable(pattern=r"사번\d{3}", max_length=5)),))
    text = unicodedata.normalize("NFD", "제 사번123은")
    (one,) = reader.find(text)
    assert unicodedata.normalize("NFC", text[one.start : one.end]) == "사번123"


_OWN = st.sampled_from([
    "E-12345", "E-123456", "E-12 ", "йж7", "и\u0306ж", "\u0306", "\\u0306", "\\n", "\\u00a0", "&nbsp;", "a", " ", "é",
    "%c3%a9", "号", "한", "ก",
])  # fmt: skip


def streamed(text: str, size: int) -> str:
    """What leaves of a text that comes in pieces, with a letter for each value: so what stood in the middle of a word
    stays there, and is none."""
    transducer = Transducer(CUSTOMS[0], lambda _: 1, lambda cluster, value: "x")
    pieces = [transducer.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return joined(text, [piece for some in [*pieces, transducer.feed("", end=True)] for piece in some])


@promised()
@given(st.lists(_OWN, max_size=40).map("".join), st.integers(1, 9))
def test_p6_values_of_patterns_of_ones_own_are_the_same_however_a_stream_is_cut(text: str, size: int) -> None:
    assert streamed(text, size) == streamed(text, len(text) or 1)


@promised()
@given(st.lists(st.one_of(_OWN, disguised), max_size=6).map("".join), st.integers(1, 9))
def test_p6_no_value_of_a_pattern_of_ones_own_leaves_a_stream(text: str, size: int) -> None:
    assert not CUSTOMS[0].find(streamed(text, size))


@promised()
@given(st.lists(st.one_of(_OWN, disguised), max_size=6).map("".join), st.data(), st.sampled_from(CUSTOMS))
def test_p6_what_crosses_a_cut_of_ones_own_begins_where_something_lived(
    text: str, data: st.DataObject, reader: Finder
) -> None:
    cut = data.draw(st.integers(0, len(text)), "cut")
    live = reader.live_from(text[:cut])
    crossing = [one for one in reader.find(text) if one.start < cut <= one.end]
    assert all(one.start >= live for one in crossing), (live, crossing)


@promised()
@given(texts)
def test_p6_one_search_of_a_plain_end_says_what_many_say(text: str) -> None:
    plain = "".join(letter for letter in text if letter.isascii() and letter not in "%&\\\x1b")
    least = min(SCANNER.live_from(plain), encoded.begun(plain))
    assert least <= READER.live_from(plain) <= SCANNER.live_from(plain)


@pytest.mark.parametrize("length", [600, 700, 3000, 8000])
def test_p6_a_beginning_further_back_than_most_may_be_is_seen(length: int) -> None:
    key = "-----BEGIN PRIVATE KEY-----" + ("A" * 64 + "\n") * (length // 65)
    assert READER.live_from(f"Here: {key}") == len("Here: ")


@given(st.text(max_size=40))
def test_characters_are_folded_one_by_one_whatever_stands_beside_them(text: str) -> None:
    read, origins = folded(text)
    each = [folded(letter)[0] for letter in text]
    assert read == "".join(each)
    ends = [0, *accumulate(map(len, each))]
    for at, letter in enumerate(each):
        if letter:
            assert origins.span(ends[at], ends[at + 1]) == (at, at + 1)


@promised()
@given(st.lists(st.tuples(st.text(max_size=12) | disguised, st.integers(0, 8)), max_size=12))
def test_p6_a_text_that_is_followed_reads_as_it_does_anew(steps: list[tuple[str, int]]) -> None:
    """Now and then its beginning is forgotten."""
    following, text = READER.following(), ""
    for piece, gone in steps:
        text = text[gone // 4 * gone :] + piece
        assert following.live_from(text) == READER.live_from(text)
        assert following.find(text) == READER.find(text)


@given(disguised)
def test_cleaned_is_cleaned_and_ascii_is_kept(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once
    assert [letter for letter in once if letter.isascii()] == [letter for letter in text if letter.isascii()]


@given(st.text(st.characters(categories=["Cf", "Mn", "So", "Lo", "Ll", "Nd"]), max_size=12))
def test_cleaned_again_is_the_same_whatever_stands_together(text: str) -> None:
    assert cleaned(cleaned(text)) == cleaned(text)


@pytest.mark.parametrize("name", [name for name in DISGUISES if name[:3] in ("h40", "h41", "h43")])
def test_what_is_forwarded_has_no_unseen_characters(name: str) -> None:
    forwarded = cleaned(f"Say {DISGUISES[name]('bob@acme.com')} now")
    assert forwarded in ("Say bob@acme.com now", "Say  now", "Say 🙂 now")


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧", "👩🏽\u200d💻", "❤\ufe0f", "🏳\ufe0f\u200d🌈", "1\ufe0f\u20e3", "\u2139\ufe0f",
        "‼\ufe0f", "⁉\ufe0f", "〰\ufe0f", "👩\u200d\U0001faef\u200d👩", "क्\u200dष",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0645",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "שלום\u200f!",
        "ภาษา\u200bไทย", "葛\U000e0100",
        "naïve Café", "日本語", "مرحبا",
    ],
)  # fmt: skip
def test_what_is_seen_is_forwarded(text: str) -> None:
    assert cleaned(text) == text


def test_a_half_of_a_surrogate_pair_is_no_reason_to_fail() -> None:
    assert READER.find("\ud83d bob@acme.com \ude00")
    assert cleaned("a\ud83db") == "a\ud83db"
    assert READER.live_from("\ud83d bob@") == 2
