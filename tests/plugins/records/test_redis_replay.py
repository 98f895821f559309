"""What waits in the spool is sent, whatever becomes of one of its files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sentinel_plugins.recording.group_commit import unavailable
from sentinel_plugins.records.redis.replay import Replay
from sentinel_plugins.records.redis.spool import Batch, line, waiting
from tests.plugins.records.opened import row


class Wire:
    """A server that is down until a test says otherwise, and what it was sent."""

    def __init__(self) -> None:
        self.up = False
        self.sent: list[str] = []

    async def send(self, batch: Batch) -> None:
        """Take a batch."""
        if not self.up:
            raise unavailable()
        self.sent += [record.id for record in batch.records]


@pytest.fixture
def wire() -> Wire:
    """One that is down."""
    return Wire()


@pytest.fixture
async def replay(tmp_path: Path, wire: Wire) -> AsyncIterator[Replay]:
    """An empty spool before it."""
    made = Replay(tmp_path, 10_000, 30.0, wire.send)
    yield made
    await made.close(5.0)


async def kept(replay: Replay, number: int) -> None:
    """One row in a file of its own."""
    await replay.keep(line(Batch("usage", [row(number)])))
    await replay.send_all()


async def test_rows_of_a_file_that_is_gone_keep_no_others_from_being_sent(
    replay: Replay, wire: Wire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await kept(replay, 1)
    (path,) = waiting(tmp_path)
    await kept(replay, 2)
    path.unlink()  # somebody empties the folder
    wire.up = True
    await replay.send_all()
    assert (wire.sent, waiting(tmp_path)) == (["row-2"], [])
    assert f"{path} is gone" in caplog.text
    await kept(replay, 3)
    assert wire.sent == ["row-2", "row-3"]


async def test_a_file_that_cannot_be_read_waits_for_better_times_and_no_other_waits_with_it(
    replay: Replay, wire: Wire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await kept(replay, 1)
    (path,) = waiting(tmp_path)
    path.rename(tmp_path / "aside")
    path.mkdir()
    await kept(replay, 2)
    wire.up = True
    for _ in range(2):
        await replay.send_all()
    assert wire.sent == ["row-2"]
    assert caplog.text.count(f"{path} cannot be read, its rows wait: Is a directory") == 1
    path.rmdir()
    (tmp_path / "aside").rename(path)
    await replay.send_all()
    assert (wire.sent, waiting(tmp_path)) == (["row-2", "row-1"], [])
