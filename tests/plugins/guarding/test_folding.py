"""Folded texts: which ones are, where that counts, and the way back, worked out once for however many values."""

# ruff: noqa: RUF001 - disguises

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import pytest

from sentinel_plugins.guarding import folding
from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.entities.email import email_address
from sentinel_plugins.guarding.folding import folded
from sentinel_plugins.guarding.origins import Stretches
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.transducer import Transducer, joined
from sentinel_plugins.guarding.views import Reader, views
from tests.long_form import long_form
from tests.plugins.guarding.samples import KEY_BODY, PRIVATE_KEY

MANY = 200
READER = Reader(Scanner((*structured_pii(), *secrets())))
TOKEN = KEY_BODY[:24]


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the texts whose way back was worked out."""
    lengths: list[int] = []

    def noted(made: Sequence[int], origin: Sequence[int]) -> Stretches:
        lengths.append(len(origin))
        return Stretches(made, origin)

    monkeypatch.setattr(folding, "Stretches", noted)
    return lengths


@pytest.mark.parametrize("uneven", ["\u200b", "\u0301", "\ufb01"], ids=["zero-width", "accent", "ligature"])
def test_the_way_back_is_worked_out_once_for_all_values(uneven: str, worked_out: list[int]) -> None:
    text = f"a@b{uneven}.io " * MANY
    found = Reader(Scanner([email_address()])).find(text)
    assert len({one.start for one in found}) == MANY
    assert worked_out == [len(text)]


def test_the_way_back_is_not_worked_out_where_nobody_asks(worked_out: list[int]) -> None:
    assert not Reader(Scanner([email_address()])).find("nobody\u200b is here " * MANY)
    assert worked_out == []


WRITTEN_WIDE = {
    "US_SSN": ("123－45－6789", "123　45　6789", "123・45・6789"),
    "CREDIT_CARD": ("4111－1111－1111－1111", "4111　1111　1111　1111", "4111／1111／1111／1111"),
    "PHONE_NUMBER": (
        "（415）555-2671",
        "（415） 555 2671",
        "(415）555-2671",
        "+1　415　555　2671",
        "＋44 20 7946 0958",
    ),
    "IBAN_CODE": ("DE89　3704　0044　0532　0130　00",),
    "DATE_OF_BIRTH": ("DOB：1980-02-01", "DOB： 1980－02－01", "born on 1980／02／01", "Birthday: May 4th， 1976"),
    "IP_ADDRESS": ("8。8。4。4",),
    "EMAIL_ADDRESS": ("ann@acme。com", "ann＠acme．com"),
    "ES_NIF": ("12345678－Z", "X－1234567－L", "\u0425-1234567-L"),
    "LABELLED_TOKEN": (
        *(
            f"password：{TOKEN}",
            f"password ： {TOKEN}",
            f"token＝{TOKEN}",
            f'"client_secret": ＂{TOKEN}',
            f"secret（{TOKEN}）",
        ),
        *(f"password:\u200b {TOKEN}", f'"client_secret":\u00a0"{TOKEN}'),
    ),
    "CONNECTION_STRING": (
        "postgres：//u:pw12345@host/db",
        "postgres://u：pw12345@host/db",
        "postgres：／／u：pw1@host/db",
    ),
    "OPENAI_KEY": (f"sk－proj－{KEY_BODY[:48]}", f"\u0455\u043a-proj-{KEY_BODY[:48]}"),
    "PRIVATE_KEY": (PRIVATE_KEY.replace("-", "－"), PRIVATE_KEY.replace("-", "－", 1), PRIVATE_KEY.replace(" ", "　")),
}


@pytest.mark.parametrize(
    ("entity", "text"), [(entity, text) for entity, texts in WRITTEN_WIDE.items() for text in texts]
)
def test_h42_a_value_whose_signs_are_those_of_chinese_or_japanese_is_found(entity: str, text: str) -> None:
    assert entity in {one.entity for one in READER.find(f"see {text} now")}


def like(sign: str) -> Iterator[str]:
    """Every character that is read as this one, but for accents that stand alone and are read as spaces."""
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x1FFFF)):
        accent = sign == " " and unicodedata.category(chr(code)) in ("Sk", "Lm", "Po", "Lo")
        if not accent and folded(chr(code))[0] == sign:
            yield chr(code)


DIVIDED: Mapping[str, str] = {
    **dict.fromkeys("- ./", "123-45-6789"),
    "@": "bob@acme.com",
    ":": "postgres://bob:hunter2@db",
    "+": "+44 20 7946 0958",
    "(": "(415) 555-2671",
    ")": "(415) 555-2671",
    "=": f"token={TOKEN}",
}


@long_form
@pytest.mark.parametrize("sign", DIVIDED)
def test_h42_whatever_is_read_as_a_sign_is_read_so_in_a_value(sign: str) -> None:
    plain = DIVIDED[sign] if sign in DIVIDED[sign] else DIVIDED[sign].replace("-", sign)
    wanted = {one.entity for one in READER.find(plain)}
    missed = [
        hex(ord(one))
        for one in like(sign)
        if wanted - {found.entity for found in READER.find(plain.replace(sign, one))}
    ]
    assert wanted
    assert not missed


@pytest.mark.parametrize(
    "text",
    [
        "会议时间：14:30。地点：3号楼502室（二楼）。请在2024年3月15日，即周五之前，把报告（第2版）发到群里！",
        "公司发布了新款手机（iPhone 15 Pro，256GB），售价为8,999元。产品的API接口支持HTTP/2协议，QPS达到5000。",
        "東京・大阪・名古屋の3拠点で、二階の会議室は使えません。",
        "彼は「Yes」と答えた。　次の日、Tokyoへ行った（3時間）。",
    ],
)
def test_chinese_and_japanese_as_they_are_written_are_not_folded(text: str) -> None:
    assert not [view for view in views(text) if view.text != text]


FAR = "and so on " * 30


def streamed(text: str, size: int) -> str:
    transducer = Transducer(READER, lambda _: 1, lambda cluster, value: "*")
    pieces = [transducer.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return joined(text, [piece for some in [*pieces, transducer.feed("", end=True)] for piece in some])


@pytest.mark.parametrize(
    "value", ["123－45－6789", "（415）555-2671", "\u00e9AKIAIOSFODNN7EXAMPLE", f"sk-pr\u00f3j-{KEY_BODY[:48]}"]
)
@pytest.mark.parametrize("elsewhere", ["Ａbc", "a\u200bb", "\u0430b", "٣٤"])
def test_p6_a_disguise_far_away_has_no_say(value: str, elsewhere: str) -> None:
    """A stream has forgotten it, or does not know it yet."""
    alone = streamed(f"{value} end", 500)
    for text in (f"{elsewhere} {FAR}{value} end", f"{value} end {FAR}{elsewhere}"):
        wanted = text.replace(f"{value} end", alone)
        assert [streamed(text, size) for size in (1, 4, len(text))] == [wanted] * 3


def test_h44_a_token_behind_a_letter_with_a_mark_is_read_whatever_is_in_disguise_elsewhere() -> None:
    token = base64.b64encode(b"write to bob@acme.com").decode()
    assert [one.entity for one in READER.find(f"\u00e9{token} Ａbc")] == ["EMAIL_ADDRESS"]
