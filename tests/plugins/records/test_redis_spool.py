"""The files of the spool, without a server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel_plugins.records.redis.spool import Batch, Sent, Spool, Turn, Work, batches, line, waiting
from tests.plugins.recording.full_disk import fill
from tests.plugins.records.opened import row
from tests.properties import promised

LINES = [line(Batch("usage", [row(number), row(1_000 + number, text="ü\n\x00")])) for number in range(6)]


def commit(spool: Spool, *works: Work) -> Sequence[list[Path]]:
    """One group."""
    return spool.commit(lambda: works)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """An empty one."""
    made = Spool(tmp_path, 10_000)
    yield made
    made.close()


def test_what_was_kept_is_read_as_it_was(spool: Spool, tmp_path: Path) -> None:
    commit(spool, *LINES[:4])
    commit(spool, *LINES[4:])
    (path,) = waiting(tmp_path)
    assert [line(batch) for batch in batches(path)] == LINES
    assert path.stat().st_mode & 0o777 == 0o600


def test_new_lines_go_to_a_new_file_while_the_old_one_is_sent(spool: Spool, tmp_path: Path) -> None:
    *_, (old,) = commit(spool, LINES[0], Turn())
    commit(spool, LINES[1])
    assert [line(batch) for batch in batches(old)] == LINES[:1]
    assert len(waiting(tmp_path)) == 2
    commit(spool, Sent(old))
    (new,) = waiting(tmp_path)
    assert [line(batch) for batch in batches(new)] == LINES[1:2]


def test_a_file_is_sent_by_one_process(spool: Spool, tmp_path: Path) -> None:
    commit(spool, LINES[0])
    other = Spool(tmp_path, 10_000)
    assert commit(other, Turn()) == [[]]
    spool.close()
    assert commit(other, Turn()) == [waiting(tmp_path)]
    other.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, sum(map(len, LINES))))
def test_s04_a_file_that_ends_anywhere_gives_every_whole_line(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "killed.rows"
    path.write_bytes(b"".join(LINES)[:cut])
    whole = [number for number in range(len(LINES)) if sum(map(len, LINES[: number + 1])) <= cut]
    assert [line(batch) for batch in batches(path)] == [LINES[number] for number in whole]


@settings(promised(), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(at=st.integers(0, sum(map(len, LINES)) - 1), flip=st.integers(1, 255))
def test_p11_a_damaged_line_is_passed_by_and_no_other(tmp_path: Path, at: int, flip: int) -> None:
    path = tmp_path / "damaged.rows"
    content = bytearray(b"".join(LINES))
    content[at] ^= flip
    path.write_bytes(content)
    read = [line(batch) for batch in batches(path)]
    assert len(read) >= len(LINES) - 2, "a damaged end of a line takes the next one with it"
    assert [text for text in LINES if text in read] == read


def test_a_line_that_another_version_wrote_is_passed_by_and_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = (
        b'{"table": "usage", "rows": "a new form"}',
        b'{"table": "u", "records": [{"id": "", "tenant": "", "at": -1, "fields": {}}]}',
    )
    path = tmp_path / "newer.rows"
    path.write_bytes(b"".join([LINES[0], *(b"%08x %b\n" % (crc32(body), body) for body in bodies), LINES[1]]))
    assert [line(batch) for batch in batches(path)] == LINES[:2]
    assert [record.message.partition(" cannot")[0] for record in caplog.records] == [
        f"{path}: line 2",
        f"{path}: line 3",
    ]


def test_a_file_that_another_process_has_just_sent_is_passed_by(spool: Spool, tmp_path: Path) -> None:
    commit(spool, LINES[0])
    (own,) = waiting(tmp_path)
    (tmp_path / "sent.rows").symlink_to(tmp_path / "nothing")  # it is listed, and is not there
    assert waiting(tmp_path) == [own]
    assert commit(spool, LINES[1], Turn()) == [[], [own]]


def test_a_file_that_is_sent_before_it_can_be_taken_is_passed_by(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0.rows").write_bytes(LINES[0])
    open_ = os.open

    def late(path: Path, flags: int) -> int:
        path.unlink()
        return open_(path, flags)

    monkeypatch.setattr(os, "open", late)
    assert commit(spool, Turn()) == [[]]


def test_a_file_that_cannot_be_opened_keeps_nobody_from_the_others(
    spool: Spool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "0.rows").mkdir()
    commit(spool, LINES[0])
    own = next(path for path in waiting(tmp_path) if path.is_file())
    for _ in range(2):  # an outage has many turns
        assert commit(spool, LINES[1], Turn())[-1][0] == own
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / '0.rows'} cannot be opened, its rows wait: Is a directory"
    ]


def test_what_cannot_be_removed_takes_nothing_with_it(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    *_, (gone,) = commit(spool, LINES[0], Turn())
    gone.unlink()
    *_, (_, stays) = commit(spool, LINES[1], Turn())
    stays.unlink()
    stays.mkdir()
    commit(spool, Sent(gone), Sent(stays), LINES[2])
    *_, (still, new) = commit(spool, Turn())
    assert (still, [line(batch) for batch in batches(new)]) == (stays, [LINES[2]])
    assert f"{stays} cannot be removed" in caplog.text


@pytest.mark.parametrize("written", [0, 7])
def test_d01_half_a_line_is_taken_back(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    commit(spool, LINES[0])
    fill(monkeypatch, written)
    with pytest.raises(OSError, match="No space"):
        commit(spool, LINES[1])
    monkeypatch.undo()
    commit(spool, LINES[2])
    (path,) = waiting(tmp_path)
    assert path.read_bytes() == LINES[0] + LINES[2]
