"""Files of a configuration: read once or anew, told to others, and looked at for changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sentinel_core.config import Settings, load_settings
from sentinel_core.config.files import Files
from sentinel_core.errors import ConfigError
from tests.core.configuration import upstream

TEXT = '[providers.openai]\napi_key = { file = "key" }\nmodels = ["m"]\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, in which everything is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rewrite(path: Path, text: str) -> None:
    """As an editor does it a moment later: the time of the write is another one."""
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before, before + 1_000_000))


def loaded(files: Files) -> Settings:
    return load_settings(environ={}, env_file=".env", files=files)


def key(settings: Settings) -> str:
    secret = upstream(settings).api_key
    assert secret is not None
    return secret.reveal()


@pytest.mark.parametrize(("files", "second"), [(Files(), b"new"), (Files(once=True), b"old")])
def test_a_file_is_read_anew_or_once(folder: Path, files: Files, second: bytes) -> None:
    file = folder / "file"
    file.write_text("old")
    assert files.read(file) == files.at(file).read_bytes() == b"old"
    file.write_text("new")
    assert files.read(file) == second


def test_what_one_reading_found_is_a_configuration_without_the_disk(folder: Path) -> None:
    (folder / "sentinel.toml").write_text(TEXT)
    (folder / ".env").write_text("SENTINEL__SERVER__PORT=4242")
    (folder / "key").write_text("canary")
    files = Files(once=True)
    assert key(loaded(files)) == "canary"
    for path in ("sentinel.toml", ".env", "key"):
        (folder / path).unlink()
    told = loaded(Files(files.contents))
    assert (key(told), told.server.port, told.path) == ("canary", 4242, Path("sentinel.toml"))
    assert "canary" not in f"{files!r} {told!r}"


def test_who_is_told_finds_no_file_that_the_reading_did_not(folder: Path) -> None:
    (folder / ".env").write_text("")
    files = Files(once=True)
    assert loaded(files).path is None
    (folder / "sentinel.toml").write_text(TEXT)
    assert loaded(Files(files.contents)).path is None
    with pytest.raises(ConfigError, match=r"sentinel\.toml: cannot be read: No such file"):
        load_settings("sentinel.toml", environ={}, files=Files(files.contents))


CHANGES: dict[str, Callable[[Path], None]] = {
    "the file is written": lambda folder: rewrite(folder / "sentinel.toml", "[server]\nport = 1"),
    "the file goes": lambda folder: (folder / "sentinel.toml").unlink(),
    "the .env is written": lambda folder: rewrite(folder / ".env", "A=1"),
    "a secret is written": lambda folder: rewrite(folder / "key", "other"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_any_file_that_was_read_is_seen(folder: Path, change: Callable[[Path], None]) -> None:
    (folder / "sentinel.toml").write_text(TEXT)
    (folder / ".env").write_text("")
    (folder / "key").write_text("canary")
    files = Files(once=True)
    key(loaded(files))
    assert not files.stale
    (folder / "nobody's").write_text("")
    assert not files.stale
    change(folder)
    assert files.stale


def test_a_file_that_was_missed_is_seen_when_it_is_made(folder: Path) -> None:
    (folder / ".env").write_text("")
    files = Files(once=True)
    loaded(files)
    assert not files.stale
    (folder / "sentinel.toml").write_text("")
    assert files.stale
