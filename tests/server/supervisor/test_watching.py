"""What `--reload` notices."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sentinel_server.supervisor.watching import Watcher


def touch(path: Path) -> None:
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))


def test_a_changed_configuration_is_noticed_once(tmp_path: Path) -> None:
    config = tmp_path / "sentinel.toml"
    config.write_text("")
    watcher = Watcher(config)
    assert watcher.changed() == set()
    touch(config)
    assert watcher.changed() == {config}
    assert watcher.changed() == set()


def test_code_that_was_imported_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "acme_watched.py"
    module.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    watcher = Watcher(None)
    __import__("acme_watched")
    assert watcher.changed() == set()  # imported since the last look, and not changed
    touch(module)
    assert watcher.changed() == {module}


def test_a_file_that_goes_between_two_looks_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "sentinel.toml"
    config.write_text("")
    watcher = Watcher(config)
    monkeypatch.setattr(Path, "exists", lambda path: True)  # it was there a moment ago
    config.unlink()
    assert watcher.changed() == {config}


async def test_the_configuration_reloads_and_code_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel_server.supervisor.watching.INTERVAL_S", 0.0)
    config, module = tmp_path / "sentinel.toml", tmp_path / "acme_edited.py"
    config.write_text("")
    module.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("acme_edited")
    calls: list[str] = []

    async def reload() -> None:
        calls.append("reload")
        touch(module)

    watcher = Watcher(config)
    touch(config)
    await watcher.run(reload, lambda: calls.append("restart"))
    assert calls == ["reload", "restart"]
