"""The file of signed notes: what a full disk leaves of a line is taken back, and a file that cannot be is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sentinel_core.config import Secret
from sentinel_core.errors import ConfigError
from sentinel_core.testing import fake_services, opened
from sentinel_plugins.audit import Audit, AuditConfig
from sentinel_plugins.audit.checkpoints import Checkpoints, Noted, read, signed
from sentinel_plugins.audit.seal import Head, Keys
from tests.plugins.audit.verified import verify
from tests.plugins.recording.full_disk import fill

KEYS = Keys(b"a key of the tests")


def config(path: Path) -> AuditConfig:
    return AuditConfig(key=Secret(KEYS.current.decode(), "TEST"), checkpoints=str(path))


def heads(seq: int) -> dict[str, Head]:
    return {"w": Head(seq, "a seal")}


@pytest.mark.parametrize("written", [0, 7])
async def test_d01_half_a_note_is_taken_back_and_was_not_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, written: int
) -> None:
    path = tmp_path / "notes"
    async with fake_services() as services:
        checkpoints = Checkpoints(path, KEYS, services.executor)
        assert await checkpoints.note("head", 1.0, heads(1))
        fill(monkeypatch, written)
        assert not await checkpoints.note("head", 2.0, heads(2))
        monkeypatch.undo()
        assert await checkpoints.note("head", 3.0, heads(3))
    assert read(path, KEYS) == Noted(heads(3), {})
    assert len(path.read_bytes().splitlines()) == 2
    assert "No space left on device" in caplog.text


async def test_a_line_that_a_crash_cut_off_is_not_glued_to_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text(signed("head", 1.0, heads(1), KEYS) + "\n" + signed("head", 2.0, heads(2), KEYS)[:20], "ascii")
    async with fake_services() as services:
        assert await Checkpoints(path, KEYS, services.executor).note("head", 3.0, heads(3))
    assert read(path, KEYS) == Noted(heads(3), {}, (2,))


@pytest.mark.parametrize("place", ["missing/notes", "."])
async def test_a_file_that_cannot_be_is_refused_at_start(tmp_path: Path, place: str) -> None:
    async with fake_services() as services:
        with pytest.raises(ConfigError) as error:
            async with opened(Audit, config(tmp_path / place), services):
                raise AssertionError("it does not start")
    (problem,) = error.value.problems
    assert (problem.table, problem.key, problem.found) == ("stages.audit", "checkpoints", repr(str(tmp_path / place)))


async def test_a_dry_run_makes_no_file_and_needs_none(tmp_path: Path) -> None:
    async with fake_services() as services:
        dry = replace(services, dry_run=True)
        for path in (tmp_path / "notes", tmp_path / "no" / "notes"):
            async with opened(Audit, config(path), dry):
                assert [*tmp_path.iterdir()] == []


async def test_a_gateway_that_starts_leaves_a_file_so_that_one_that_is_gone_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    async with fake_services() as services, opened(Audit, config(path), services):
        pass
    assert verify([], KEYS, read(path, KEYS)).findings == ()
    path.unlink()
    (finding,) = verify([], KEYS, read(path, KEYS)).findings
    assert finding.message == "the checkpoints are gone"
