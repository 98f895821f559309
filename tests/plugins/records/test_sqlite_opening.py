"""The file at start: made once, checked every time, never made anew in the place of a broken one (D04)."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sentinel_core.errors import ConfigError
from sentinel_plugins.records.sqlite import SqliteRecordsConfig, opening, schema, sentinel_stores
from sentinel_plugins.records.sqlite.connect import connect
from sentinel_plugins.records.sqlite.opening import prepare
from sentinel_plugins.records.sqlite.store import SqliteRecords
from tests.pace import PATIENCE_S
from tests.plugins.records.opened import row, sqlite

TABLE = "usage"
ROWS = 40


def image(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def written(folder: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of a store with rows: as a crash leaves them, all rows in the log, and as a gateway that ended does."""
    async with sqlite(folder) as store:
        await store.append(TABLE, [row(number) for number in range(ROWS)])
        crashed = image(folder)
    return crashed, image(folder)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Those two."""
    return asyncio.run(written(tmp_path_factory.mktemp("images")))


@pytest.fixture(scope="module")
def crashed(images: tuple[dict[str, bytes], dict[str, bytes]]) -> dict[str, bytes]:
    """The files as a crash left them."""
    return images[0]


@pytest.fixture(scope="module")
def closed(images: tuple[dict[str, bytes], dict[str, bytes]]) -> dict[str, bytes]:
    """The file of a gateway that has ended."""
    return images[1]


def laid(folder: Path, files: Mapping[str, bytes]) -> Path:
    """These files in that folder; the database among them."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / "sentinel.db"


def count(file: Path) -> int:
    """How many rows a gateway finds in it. Raises what keeps it from starting."""
    prepare(SqliteRecordsConfig(path=str(file)))
    with closing(sqlite3.connect(file)) as connection:
        found: int = connection.execute("SELECT count(*) FROM records").fetchone()[0]
        return found


def refusal(file: Path) -> str:
    """Why it cannot be used; the problem names the setting."""
    with pytest.raises(ConfigError) as error:
        prepare(SqliteRecordsConfig(path=str(file)))
    (problem,) = error.value.problems
    assert (problem.table, problem.key, problem.found) == ("records", "path", repr(str(file)))
    return problem.message


async def test_the_first_start_makes_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    async with sqlite(tmp_path) as store:
        await store.append(TABLE, [row(1)])
        assert {path.name for path in tmp_path.iterdir()} == {"sentinel.db", "sentinel.db-wal", "sentinel.db-shm"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert [path.name for path in tmp_path.iterdir()] == ["sentinel.db"]


def test_s04_what_a_crash_left_in_the_log_is_there(tmp_path: Path, crashed: dict[str, bytes]) -> None:
    assert count(laid(tmp_path, crashed)) == ROWS


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(0, 31), flip=st.integers(1, 255))
def test_d04_a_damaged_header_of_the_log_keeps_the_gateway_from_starting(
    tmp_path: Path, crashed: dict[str, bytes], offset: int, flip: int
) -> None:
    """SQLite itself would take the log for an empty one, and every row in it would be gone."""
    broken = {**crashed, "sentinel.db-wal": damaged(crashed["sentinel.db-wal"], offset, flip)}
    file = laid(tmp_path, broken)
    assert "damaged -wal" in refusal(file)
    assert image(tmp_path) == broken


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(0, 99), flip=st.integers(1, 255))
@example(offset=0, flip=1)
@example(offset=28, flip=255)
def test_d04_a_damaged_header_is_refused_or_hides_no_row(
    tmp_path: Path, closed: dict[str, bytes], offset: int, flip: int
) -> None:
    file = laid(tmp_path, {"sentinel.db": damaged(closed["sentinel.db"], offset, flip)})
    with suppress(ConfigError):
        assert count(file) == ROWS


def damaged(content: bytes, offset: int, flip: int) -> bytes:
    """With bits of one byte flipped."""
    changed = bytearray(content)
    changed[offset] ^= flip
    return bytes(changed)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no_database": (lambda file: file.write_bytes(b"not a database, though long enough to be one" * 100), "damaged"),
    "emptied": (lambda file: os.truncate(file, 0), "is empty"),
    "cut_off": (lambda file: os.truncate(file, file.stat().st_size // 2), "damaged"),
    "another_programs": (lambda file: told(file, "PRAGMA application_id = 42"), "another program"),
    "of_a_newer_release": (lambda file: told(file, "PRAGMA user_version = 99"), "newer release"),
    "gone_beside_its_log": (lambda file: file.rename(file.with_name("sentinel.db-wal")), "is gone"),
}


def told(file: Path, statement: str) -> None:
    """Change the file as another program would."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize("case", BROKEN)
def test_d04_a_file_that_is_not_whole_or_not_ours_is_refused_and_left_alone(
    tmp_path: Path, closed: dict[str, bytes], case: str
) -> None:
    change, message = BROKEN[case]
    file = laid(tmp_path, closed)
    change(file)
    before = image(tmp_path)
    assert message in refusal(file)
    assert image(tmp_path) == before


def test_a_file_that_is_too_large_to_be_checked_in_time_is_served(
    tmp_path: Path, closed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = laid(tmp_path, closed)

    class Over:
        """Time is over when the check begins."""

        def __init__(self, _: float, interrupt: Callable[[], None]) -> None:
            self._connection: sqlite3.Connection = interrupt.__self__  # type: ignore[attr-defined]  # a bound method

        def start(self) -> None:
            self._connection.set_progress_handler(lambda: 1, 1)

        def cancel(self) -> None:
            self._connection.set_progress_handler(None, 1)

        def join(self) -> None:
            """Nothing runs."""

    monkeypatch.setattr(threading, "Timer", Over)
    assert count(file) == ROWS
    assert "checked as far as" in caplog.text


def test_a_file_of_an_older_release_is_taken_to_this_one(
    tmp_path: Path, closed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = laid(tmp_path, closed)
    steps = (*schema.MIGRATIONS, ("ALTER TABLE records ADD COLUMN colour TEXT",))
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(schema, "VERSION", len(steps))
    assert count(file) == ROWS
    with closing(sqlite3.connect(file)) as connection:
        assert schema.version_of(connection) == len(steps)
        assert connection.execute("SELECT count(colour), count(*) FROM records").fetchone() == (0, ROWS)


def test_a_step_to_a_newer_version_is_taken_whole_or_not_at_all(
    tmp_path: Path, closed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = laid(tmp_path, closed)
    broken = (*schema.MIGRATIONS, ("ALTER TABLE records ADD COLUMN colour TEXT", "no SQL"))
    monkeypatch.setattr(schema, "MIGRATIONS", broken)
    monkeypatch.setattr(schema, "VERSION", len(broken))
    assert "syntax error" in refusal(file)
    monkeypatch.undo()
    assert count(file) == ROWS


def test_the_workers_of_a_machine_wait_for_the_one_that_takes_an_older_file_to_this_release(
    tmp_path: Path, closed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large file that takes longer than anybody waits for a lock."""
    file, asked = laid(tmp_path, closed), threading.Event()

    def traced(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
        connection = connect(path, busy_timeout_s=0.0)
        connection.set_trace_callback(lambda sql: asked.set() if sql.startswith("BEGIN") else None)
        return connection

    monkeypatch.setattr(opening, "connect", traced)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE more (number INTEGER)",)))
    with closing(sqlite3.connect(file, isolation_level=None)) as first, ThreadPoolExecutor(1) as threads:
        first.execute("BEGIN IMMEDIATE")
        second = threads.submit(count, file)
        assert asked.wait(PATIENCE_S)
        first.execute("ROLLBACK")
        assert second.result(PATIENCE_S) == ROWS


@pytest.mark.parametrize("path", ["missing/sentinel.db", "file/sentinel.db", "folder"])
def test_s07_a_path_where_no_file_can_be_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    assert "cannot be used" in refusal(tmp_path / path)


def test_s07_a_file_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so SQLite is told that this file is for reading."""

    def for_reading(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
        connection = connect(path, busy_timeout_s=busy_timeout_s)
        connection.execute("PRAGMA query_only = ON")
        return connection

    prepare(SqliteRecordsConfig(path=str(tmp_path / "sentinel.db")))
    monkeypatch.setattr(opening, "connect", for_reading)
    assert "readonly" in refusal(tmp_path / "sentinel.db")


def test_s07_a_sqlite_that_is_too_old_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    assert "too old" in refusal(tmp_path / "sentinel.db")


def test_the_plugin_brings_the_store() -> None:
    assert tuple(sentinel_stores()) == (SqliteRecords,)
