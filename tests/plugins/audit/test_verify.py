"""P11: whatever is deleted, moved or edited is found, and each record is one line whatever its texts are."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import accumulate, groupby
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.records import Record, Stored
from sentinel_plugins.audit.chain import missing
from sentinel_plugins.audit.checkpoints import Noted, read, signed
from sentinel_plugins.audit.seal import Head, Keys, Sealer, line, row_id
from sentinel_plugins.audit.verify import Verifier
from sentinel_plugins.recording.row import decode, row, stored
from tests.plugins.audit.verified import verify, verify_stored
from tests.properties import promised

KEYS = Keys(b"a key of the tests")
texts = st.text(max_size=20)
chains = st.lists(texts, min_size=2, max_size=8)
NOTHING = Noted({}, {})
KINDS = ("intent", "terminal")
DIGITS = 8


def chain(models: Sequence[str], writer: str = "w") -> list[Record]:
    """Sealed records, as a store gives them back."""
    written = [Record("", "acme", 100.0 + n, {"kind": "terminal", "model": text}) for n, text in enumerate(models)]
    return [decode(row(record).text) for record in Sealer(KEYS, writer).seal(written)]


def head(rows: Sequence[Record]) -> Noted:
    fields = rows[-1].fields
    return Noted({fields["writer"]: Head(fields["seq"], fields["mac"])}, {})


def messages(rows: Sequence[Record], noted: Noted | None = NOTHING) -> list[str]:
    return [finding.message for finding in verify(rows, KEYS, noted).findings]


def edited(record: Record, name: str, value: JsonValue) -> Record:
    return Record(record.id, record.tenant, record.at, {**record.fields, name: value})


@promised()
@given(chains, chains, st.randoms())
def test_p11_what_was_written_is_verified_in_whatever_order_it_is_read(
    one: list[str], other: list[str], random: Random
) -> None:
    rows = [*chain(one), *chain(other, "v")]
    noted = Noted({**head(rows[: len(one)]).heads, **head(rows).heads}, {})
    random.shuffle(rows)
    assert verify(rows, KEYS, noted).findings == ()


@promised()
@given(chains, st.data())
def test_p11_a_deleted_record_is_found(models: list[str], data: st.DataObject) -> None:
    rows = chain(models)
    noted = head(rows)
    del rows[data.draw(st.integers(0, len(rows) - 1))]
    assert messages(rows, noted)


@promised()
@given(chains, st.data())
def test_p11_a_truncated_chain_is_found(models: list[str], data: st.DataObject) -> None:
    rows = chain(models)
    left = data.draw(st.integers(0, len(rows) - 1))
    assert messages(rows[:left], head(rows)) == [missing(len(rows) - left, " at the end")]


@promised()
@given(chains, st.data())
def test_p11_records_that_were_edited_are_named_and_none_of_them_is_missing(
    models: list[str], data: st.DataObject
) -> None:
    rows = chain(models)
    places = data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1))
    lies = [edited(row, "model", f"{row.fields['model']}x") if n in places else row for n, row in enumerate(rows)]
    assert sorted(messages(lies, head(rows))) == sorted(f"{rows[place].id!r} was edited" for place in places)


def test_a_record_that_is_missing_between_edited_ones_still_is() -> None:
    rows = chain("abcdef")
    lies = [rows[0], edited(rows[1], "model", "x"), *rows[3:5], edited(rows[5], "model", "x")]
    two, six = (f"{rows[n].id!r} was edited" for n in (1, 5))
    assert messages(lies, head(rows)) == [two, six, missing(1)]
    assert messages(lies[:-1], head(rows)) == [two, missing(1), missing(1, " at the end")]


@promised()
@given(chains, st.data())
def test_p11_two_records_that_change_places_are_found(models: list[str], data: st.DataObject) -> None:
    """Their ids and times stay, what they say is exchanged."""
    rows = chain(models)
    one, other = data.draw(st.permutations(range(len(rows))))[:2]
    a, b = rows[one], rows[other]
    rows[one], rows[other] = (
        Record(a.id, a.tenant, a.at, b.fields),
        Record(b.id, b.tenant, b.at, a.fields),
    )
    assert len(messages(rows, head(rows))) >= 2


@promised()
@given(chains, st.data())
def test_p11_renumbered_records_are_found(models: list[str], data: st.DataObject) -> None:
    rows = chain(models)
    place = data.draw(st.integers(0, len(rows) - 1))
    fields = {**rows[place].fields, "seq": len(rows) + 1}
    rows[place] = Record(row_id("w", len(rows) + 1), "acme", rows[place].at, fields)
    assert messages(rows, NOTHING)


@promised()
@given(chains, texts, st.data())
def test_p11_an_edited_record_is_found(models: list[str], text: str, data: st.DataObject) -> None:
    rows = chain(models)
    place = data.draw(st.integers(0, len(rows) - 1))
    before = rows[place]
    after = data.draw(
        st.sampled_from(
            (
                edited(before, "model", before.fields["model"] + "x"),
                edited(before, "new", text),
                edited(before, "prev", text),
                edited(before, "mac", text),
                edited(before, "writer", "v"),
                Record(before.id, "another", before.at, before.fields),
                Record(before.id, before.tenant, before.at + 1, before.fields),
            )
        )
    )
    rows[place] = after
    expected = after.fields == before.fields and (after.tenant, after.at) == (before.tenant, before.at)
    assert bool(messages(rows, head(chain(models)))) is not expected


@promised()
@given(chains)
def test_p11_records_sealed_with_another_key_are_found(models: list[str]) -> None:
    rows = Sealer(Keys(b"another key of the tests"), "w").seal(
        [Record("", "", 0.0, {"model": text}) for text in models]
    )
    assert len(messages(rows, NOTHING)) == len(models)


@promised()
@given(chains, chains)
def test_p11_records_sealed_with_a_previous_key_are_believed_while_it_is_named(old: list[str], new: list[str]) -> None:
    before, after = Keys(b"the key until yesterday"), Keys(KEYS.current, (b"the key until yesterday",))
    rows = [
        *Sealer(before, "v").seal([Record("", "", 0.0, {"model": text}) for text in old]),
        *Sealer(after, "w").seal([Record("", "", 0.0, {"model": text}) for text in new]),
    ]
    assert verify(rows, after, None).findings == ()
    assert len(messages(rows, NOTHING)) == len(old)  # what is new is sealed with the current key alone


@promised()
@given(texts)
def test_p11_a_record_is_one_line_of_ascii(text: str) -> None:
    (record,) = Sealer(KEYS, "w").seal([Record("", text, 1.0, {"model": text, text: text})])
    assert len(line(record).splitlines()) == 1
    assert line(record).isascii()


def test_times_of_a_writer_never_run_backwards() -> None:
    rows = Sealer(KEYS, "w").seal([Record("", "", at, {}) for at in (5.0, 4.5, 6.0)])
    assert [record.at for record in rows] == [5.0, 5.0, 6.0]
    assert {record.fields["writer"] for record in rows} == {"w"}


@given(st.lists(st.sampled_from((-3_600.0, -2.0, 0.0, 0.5, 3_600.0)), max_size=20), st.randoms())
def test_d06_a_clock_that_is_set_back_begins_another_chain_with_the_true_time(
    jumps: list[float], random: Random
) -> None:
    times = [1e6 + ahead for ahead in accumulate(jumps)]
    rows = [*Sealer(KEYS, "w").seal([Record("", "", at, {"kind": "terminal"}) for at in times])]
    assert [record.at for record in rows] == times
    for _, one in groupby(rows, key=lambda record: record.fields["writer"]):
        chained = [record.at for record in one]
        assert chained == sorted(chained)
    noted = Noted({record.fields["writer"]: Head(record.fields["seq"], record.fields["mac"]) for record in rows}, {})
    random.shuffle(rows)
    assert messages(rows, noted) == []
    if rows:
        assert messages(rows[1:], noted) != []


@given(chains, st.data())
def test_what_retention_deleted_and_noted_is_not_missing_and_more_is(models: list[str], data: st.DataObject) -> None:
    rows = chain(models)
    gone = data.draw(st.integers(1, len(rows)))
    cut = {"w": Head(gone, rows[gone - 1].fields["mac"])}
    noted = Noted(head(rows).heads, cut)
    assert messages(rows[gone:], noted) == []
    assert messages(rows, noted) == [], "noted, and not deleted yet"
    assert messages(rows[gone:], head(rows)) != []
    late = data.draw(st.lists(st.sampled_from(rows[:gone]), unique_by=lambda record: record.id))
    assert messages([*late, *rows[gone:]], noted) == [], "some came out of a spool when others were deleted"
    if gone < len(rows):
        assert messages(rows[gone + 1 :], noted) != []
        assert messages([*late, *rows[gone + 1 :]], noted) != []


def test_a_request_id_that_a_client_reuses_hides_no_intent() -> None:
    """A clients' second request of this id ends; its first one, whose process died, does not."""
    exchanges = (("intent", {"exchange": "1"}), ("intent", {"exchange": "2"}), ("terminal", {"exchange": "2"}))
    written = [
        Record("", "", 1.0, {"kind": kind, "request_id": "same", **fields})
        for kind, fields in (*exchanges, ("terminal", {}))
    ]
    assert verify(Sealer(KEYS, "w").seal(written), KEYS, None).unfinished == 1


def test_a_row_that_is_not_found_by_what_it_says_is_named() -> None:
    one, two, three = chain(["a", "b", "c"])
    rows = [
        Stored(one.id, one.tenant, one.at, one),
        Stored(two.id, "nobody", two.at, two),
        Stored(three.id, three.tenant, 1.0, three),
    ]
    found = verify_stored(rows, KEYS, head([one, two, three]))
    assert [(finding.writer, finding.seq, finding.message) for finding in found.findings] == [
        ("w", 2, f"{two.id!r} does not stand where it belongs"),
        ("w", 3, f"{three.id!r} does not stand where it belongs"),
    ]


def test_a_row_that_is_no_record_any_more_is_named_and_the_others_are_looked_at() -> None:
    one, two, three = chain(["a", "b", "c"])
    rows = [
        Stored(one.id, one.tenant, one.at, one),
        Stored(two.id, two.tenant, two.at, None),
        Stored(three.id, three.tenant, three.at, edited(three, "model", "evil")),
    ]
    found = verify_stored(rows, KEYS, NOTHING)
    assert found.records == 3
    assert [finding.message for finding in found.findings] == [
        f"{two.id!r} cannot be read",
        f"{three.id!r} was edited",
    ]


@pytest.mark.parametrize(
    ("found", "put"),
    [
        ('"fields":{', '"fields":{"model":"nobody",'),
        ('"fields":{', '"fields":{"status":"none"},"fields":{'),
        ('"model":', '"m\\u006fdel":'),
        ('"model":"b"', '"model":"\\u0062"'),
        ("{", '{"note":1,'),
        (",", ", "),
    ],
)
def test_p11_a_text_that_a_query_may_read_otherwise_than_it_is_decoded_is_found(found: str, put: str) -> None:
    """Of two members of one name SQLite finds the first, and whoever decodes the row the last."""
    rows = chain(["a", "b", "c"])
    texts = [row(record).text.encode() for record in rows]
    edited_text = texts[1].replace(found.encode(), put.encode(), 1)
    assert decode(edited_text) == rows[1]
    lie = [stored(one.id, one.tenant, one.at, text) for one, text in zip(rows, texts, strict=True)]
    assert verify_stored(lie, KEYS, head(rows)).findings == ()
    lie[1] = stored(rows[1].id, rows[1].tenant, rows[1].at, edited_text)
    (finding,) = verify_stored(lie, KEYS, head(rows)).findings
    assert (finding.writer, finding.seq) == ("w", 2)
    assert finding.message == f"{rows[1].id!r} is not the text that was written"


def test_values_that_are_nested_too_deeply_to_be_sealed_are_none(tmp_path: Path) -> None:
    record = chain(["a"])[0]
    for depth in range(900, 1000):  # what a stack just holds
        nested = "[" * depth + "]" * depth
        text = row(record).text.replace('"model":"a"', f'"model":{nested}')
        found = verify_stored([stored(record.id, record.tenant, record.at, text.encode())], KEYS, None)
        (finding,) = found.findings
        assert finding.message.endswith(("was edited", "cannot be read"))
        (tmp_path / "notes").write_text(f'{{"kind":{nested},"sig":""}}\n', "ascii")
        assert read(tmp_path / "notes", KEYS).bad_lines == (1,)


def test_any_text_in_the_place_of_a_seal_is_none(tmp_path: Path) -> None:
    rows = chain(["a", "b"])
    assert messages([rows[0], edited(rows[1], "mac", "\ud800")]) == [f"{rows[1].id!r} was edited"]
    (tmp_path / "notes").write_text('{"kind":"head","sig":"\\ud800"}\n', "ascii")
    assert read(tmp_path / "notes", KEYS).bad_lines == (1,)


def test_intents_without_an_end_are_counted() -> None:
    written = [Record("", "", 1.0, {"kind": kind, "exchange": name}) for kind, name in (
        ("intent", "a"), ("intent", "b"), ("terminal", "a"), ("terminal", "c"),
    )]  # fmt: skip
    found = verify(Sealer(KEYS, "w").seal(written), KEYS, None)
    assert (found.unfinished, found.records, found.findings, found.checkpoints) == (1, 4, (), False)


def test_checkpoints_are_read_back_and_edited_lines_are_found(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    lines = [
        signed("head", 1.0, {"w": Head(3, "c"), "v": Head(1, "x")}, KEYS),
        signed("cut", 2.0, {"w": Head(2, "b")}, KEYS),
        signed("head", 3.0, {"w": Head(4, "d")}, KEYS),
    ]
    path.write_text("".join(f"{text}\n" for text in lines), "ascii")
    assert read(path, KEYS) == Noted({"w": Head(4, "d"), "v": Head(1, "x")}, {"w": Head(2, "b")})
    path.write_text(lines[0] + "\n" + lines[2].replace("4", "5", 1) + "\nnonsense\n[]\n", "ascii")
    noted = read(path, KEYS)
    assert (noted.heads["w"], noted.bad_lines) == (Head(3, "c"), (2, 3, 4))
    assert messages([], Noted({}, {}, noted.bad_lines)) == ["this line of the checkpoints was edited"] * 3
    assert read(tmp_path / "none", KEYS) == Noted({}, {}, kept=False)


def test_checkpoints_signed_with_a_previous_key_are_believed_while_it_is_named(tmp_path: Path) -> None:
    path, after = tmp_path / "notes", Keys(b"the key since today", (KEYS.current,))
    lines = [signed("head", 1.0, {"w": Head(3, "c")}, KEYS), signed("head", 2.0, {"v": Head(1, "x")}, after)]
    path.write_text("".join(f"{text}\n" for text in lines), "ascii")
    assert read(path, after) == Noted({"w": Head(3, "c"), "v": Head(1, "x")}, {})
    assert read(path, Keys(after.current)).bad_lines == (1,)
    assert read(path, KEYS).bad_lines == (2,)


@pytest.mark.parametrize("fields", [{}, {"writer": 1}, {"writer": "w", "seq": True, "prev": "", "mac": ""}])
def test_a_record_that_was_never_sealed_is_found(fields: JsonObject) -> None:
    assert messages([Record("w:1", "", 1.0, fields)]) == ["'w:1' was edited"]


def test_what_was_looked_at_is_not_kept() -> None:
    """However many records there are, their number and what is open at the end of them is all that grows."""
    sizes = []
    for count in (10, 1000):
        written = [Record("", "", 1.0, {"kind": kind, "exchange": str(n)}) for n in range(count) for kind in KINDS]
        verifier = Verifier(KEYS, None)
        for record in reversed(Sealer(KEYS, "w").seal([*written, Record("", "", 1.0, {"kind": "terminal"})])):
            verifier.look(Stored(record.id, record.tenant, record.at, record))
        sizes.append(len(pickle.dumps(verifier)))
    assert sizes[1] <= sizes[0] + DIGITS
