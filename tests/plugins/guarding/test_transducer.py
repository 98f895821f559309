"""P5 and P6 on the transducer itself: however a text is cut, what leaves is what the whole text becomes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sentinel_core.errors import Refusal
from sentinel_plugins.guarding.known import Known
from sentinel_plugins.guarding.merge import Cluster
from sentinel_plugins.guarding.replacing import redacted
from sentinel_plugins.guarding.transducer import LONGEST_SWALLOWED, Transducer
from sentinel_plugins.guarding.written import PlainText
from tests.plugins.guarding.growth import MOST, growth
from tests.plugins.guarding.kinds import ALL, KEY, LABELLED, LONG, MAIL, NUMBERED, SSN, Sample, finder
from tests.plugins.guarding.oracle import RANK, expected
from tests.properties import promised

WORDS = (
    *(
        "123-45-6789",
        "123-45-678",
        "9",
        "-",
        "bob@",
        "acme.com",
        "bob@acme.com",
        "/x",
        "@",
        ".",
        "a",
        "sk-ant-",
        "api03",
    ),
    *("1 2", " 3", "4 5 6 7 8 9", "pin ", "12", " ", "\n", "é", "😀", "sk", "-ant-abcd", "[US_SSN]"),
)
TEXTS = st.lists(st.sampled_from(WORDS) | st.text("19-@.sk atnpi/", max_size=4), max_size=24).map("".join)


def made(kinds: Sequence[Sample], left: str = "", known: Known | None = None) -> PlainText:
    def decide(cluster: Cluster, value: str) -> str:
        return redacted(cluster.first, value)

    overlong = {LONG.name: LONG}
    reads = Transducer(finder(*kinds), lambda one: RANK[one.family], decide, left=left, overlong=overlong, known=known)
    return PlainText(reads)


def through(
    pieces: Sequence[str], kinds: Sequence[Sample] = ALL, left: str = "", known: Known | None = None
) -> list[str]:
    text = made(kinds, left, known)
    return [*(text.feed(piece) for piece in pieces), text.feed("", end=True)]


def cut(text: str, places: Sequence[int]) -> list[str]:
    ends = sorted({place % (len(text) + 1) for place in places})
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


CUTS = st.lists(st.integers(0, 10_000), max_size=30)


@promised()
@given(TEXTS, CUTS)
def test_p6_however_a_text_is_cut_what_leaves_is_what_the_whole_text_becomes(text: str, places: list[int]) -> None:
    assert "".join(through(cut(text, places))) == expected(text, ALL, redacted)


@promised()
@given(TEXTS)
def test_p6_character_by_character_too(text: str) -> None:
    assert "".join(through(list(text))) == expected(text, ALL, redacted)


PINS = st.lists(st.sampled_from(["pin 12", "pin 123", "pin 1234", "12", "123", " ", "1", "4", ", ", "x", "no. "])).map(
    "".join
)


@promised()
@given(PINS | TEXTS, CUTS)
def test_p6_however_a_text_is_cut_what_was_found_in_it_is_found_again(text: str, places: list[int]) -> None:
    pieces = cut(text, places)
    assert "".join(through(pieces, known=Known())) == "".join(through([text], known=Known()))


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_value_is_replaced_wherever_it_stands_from_its_first_find_on(size: int) -> None:
    text = "12 and pin 12, 12. 123 x12 (12) 12"
    out = "".join(through([text[at : at + size] for at in range(0, len(text), size)], (LABELLED,), known=Known()))
    assert out == "12 and pin [PIN], [PIN]. 123 x12 ([PIN]) [PIN]"


def test_what_one_text_found_is_found_in_another_and_what_left_is_not_taken_back() -> None:
    known = Known()
    one, other = made((LABELLED,), known=known), made((LABELLED,), known=known)
    assert other.feed("12 and 1") == "12 and "
    assert one.feed("pin 12,") == "pin [PIN],"
    assert other.feed("2 or") == "[PIN] or"


@pytest.mark.parametrize("repeated", [1, 2])
def test_p6_the_work_is_linear_in_what_was_found(repeated: int) -> None:
    def work(text: str) -> None:
        count = len(text)
        pins = "".join(f"pin {number}, {number} ; " * repeated for number in range(1000, 1000 + count // 20))
        through([pins[at : at + 7] for at in range(0, len(pins), 7)], (LABELLED,), known=Known())
        through([pins], (LABELLED,), known=Known())

    assert growth(work, "a") <= MOST


ROWS = st.lists(st.sampled_from(("12 ", "34 ", "no. ", "x ")), min_size=150, max_size=300).map("".join)


@promised()
@given(ROWS, st.lists(st.integers(0, 1000), min_size=50, max_size=150))
def test_p6_what_was_forgotten_of_a_long_text_changes_nothing(text: str, places: list[int]) -> None:
    assert "".join(through(cut(text, places), (NUMBERED,))) == expected(text, (NUMBERED,), redacted)


@promised()
@given(TEXTS, TEXTS, CUTS)
def test_p6_text_to_the_left_is_looked_at_and_does_not_leave(left: str, text: str, places: list[int]) -> None:
    cut_up = "".join(through(cut(text, places), left=left))
    assert cut_up == "".join(through([text], left=left))


@promised()
@given(TEXTS)
def test_p5_nothing_that_was_found_is_left(text: str) -> None:
    out = "".join(through([text], (SSN, MAIL, KEY)))
    left = [one for kind in (SSN, MAIL, KEY) for one in kind.find(out)]
    beside = [one for one in left if out[one.end : one.end + 1] == "[" or out[one.start - 1 : one.start] == "]"]
    assert left == beside, "only beside a value that is gone something may look like one that was none"


@promised()
@given(TEXTS)
def test_p5_what_left_once_leaves_unchanged(text: str) -> None:
    kinds = (SSN, MAIL, KEY)
    once = "".join(through([text], kinds))
    assume(not any([*kind.find(once)] for kind in kinds))  # see above
    assert "".join(through([once], kinds)) == once


@pytest.mark.parametrize(
    ("pieces", "left"),
    [
        (("my ssn is 123-45-", "6789, ok"), "my ssn is [US_SSN], ok"),
        (("write to bob@", "acme.com now"), "write to [EMAIL_ADDRESS] now"),
        (("key: sk-ant-", "api03xyz."), "key: [ANTHROPIC_KEY]."),
    ],
)
def test_replay_12_values_do_not_escape_where_chunks_meet(pieces: Sequence[str], left: str) -> None:
    """mastra #23783, litellm PR #38788."""
    assert "".join(through(pieces)) == left
    assert "".join(through(list("".join(pieces)))) == left


def test_text_leaves_as_soon_as_nothing_can_become_of_it() -> None:
    assert through(["hello! ", "12", " apples"], (SSN,)) == ["hello! ", "", "12 apples", ""]


def test_what_is_held_leaves_with_the_end() -> None:
    assert through(["123-45-678"], (SSN,)) == ["", "123-45-678"]


@given(st.text("abc ", max_size=60), CUTS)
def test_a_value_without_an_end_is_swallowed_up_to_its_terminator(body: str, places: list[int]) -> None:
    text = f"key BEGIN{body}. after"
    out = "".join(through(cut(text, places), (LONG,)))
    assert out == ("key [PRIVATE_KEY]. after" if len(body) >= 7 else text)


@promised()
@given(st.text("ab .@", max_size=160), CUTS)
def test_p6_what_begins_in_a_value_without_an_end_goes_with_it(body: str, places: list[int]) -> None:
    text = f"BEGINaaaaaaa{body} bob.b@acme.com after"
    assert "".join(through(cut(text, places), (LONG, MAIL))) == "".join(through([text], (LONG, MAIL)))


def test_p6_and_nothing_of_it_is_left() -> None:
    assert "".join(through(["BEGINaaaaaaa bob.b@acme.com after"], (LONG, MAIL))) == "[PRIVATE_KEY] after"


@pytest.mark.parametrize("size", [1000, LONGEST_SWALLOWED * 2])
def test_a_value_that_never_ends_is_blocked(size: int) -> None:
    text = "BEGIN" + "a" * (LONGEST_SWALLOWED + 100)
    with pytest.raises(Refusal, match="content_policy_violation"):
        through([text[at : at + size] for at in range(0, len(text), size)], (LONG,))


class Counting(Sample):
    """Counts the characters that it is asked about."""

    read = 0

    def find(self, text: str):  # type: ignore[no-untyped-def]  # as the base
        self.read += len(text)
        return super().find(text)


@pytest.mark.parametrize("text", ["1 2 " * 4000, "a" * 16_000, "123-45-" * 2300, "bob@" * 4000])
def test_p6_the_work_is_linear(text: str) -> None:
    reads = []
    for part in (text[: len(text) // 2], text):
        kind = Counting("PAIR", r"\d \d", r"\d ?\d?", longest=3, left=0)
        through([part[at : at + 4] for at in range(0, len(part), 4)], (kind,))
        reads.append(kind.read)
    assert reads[1] / reads[0] <= 2.3


def test_a_blocked_value_stops_before_it_and_what_follows() -> None:
    def decide(cluster: Cluster, value: str) -> str:
        raise Refusal("content_policy_violation")

    text = PlainText(Transducer(finder(SSN), lambda one: 1, decide))
    assert text.feed("before it ") == "before it "
    with pytest.raises(Refusal):
        text.feed("123-45-6789 after")
