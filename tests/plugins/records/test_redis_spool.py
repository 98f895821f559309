"""The files of the spool, without a server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel_plugins.records.redis.spool import Batch, Sent, Spool, Turn, Work, batches, line, waiting
from tests.plugins.records.opened import row

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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(at=st.integers(0, sum(map(len, LINES)) - 1), flip=st.integers(1, 255))
def test_p11_a_damaged_line_is_passed_by_and_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, at: int, flip: int
) -> None:
    path = tmp_path / "damaged.rows"
    content = bytearray(b"".join(LINES))
    content[at] ^= flip
    path.write_bytes(content)
    read = [line(batch) for batch in batches(path)]
    assert len(read) >= len(LINES) - 2, "a damaged end of a line takes the next one with it"
    assert [text for text in LINES if text in read] == read


@pytest.mark.parametrize("written", [0, 7])
def test_d01_half_a_line_is_taken_back(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    commit(spool, LINES[0])
    write: Callable[[int, bytes], int] = os.write
    sizes = iter([written])

    def full(handle: int, data: bytes) -> int:
        size = next(sizes, 0)
        if not size:
            raise OSError(28, "No space left on device")
        return write(handle, data[:size])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        commit(spool, LINES[1])
    monkeypatch.undo()
    commit(spool, LINES[2])
    (path,) = waiting(tmp_path)
    assert path.read_bytes() == LINES[0] + LINES[2]
