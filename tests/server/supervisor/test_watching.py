"""What `--reload` notices. What a change of a configuration's files is, `test_config_files` says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sentinel_core.config.files import Files
from sentinel_server.supervisor.watching import Watcher


def touch(path: Path) -> None:
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))


def test_code_that_was_imported_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "acme_watched.py"
    module.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    watcher = Watcher(Files)
    __import__("acme_watched")
    assert watcher.code_changed() == set()  # imported since the last look, and not changed
    touch(module)
    assert watcher.code_changed() == {module}
    assert watcher.code_changed() == set()


def test_code_that_goes_between_two_looks_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "acme_gone.py"
    module.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("acme_gone")
    watcher = Watcher(Files)
    module.unlink()
    assert watcher.code_changed() == {module}


async def test_a_configuration_that_goes_and_one_that_comes_reload_and_code_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel_server.supervisor.watching.INTERVAL_S", 0.0)
    config, module = tmp_path / "sentinel.toml", tmp_path / "acme_edited.py"
    config.write_text("")
    module.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("acme_edited")
    calls: list[str] = []
    files = Files()
    files.read(config)

    def reload() -> None:
        calls.append("reload")
        files.exists(config)
        if len(calls) == 1:
            config.write_text("")
        else:
            touch(module)

    watcher = Watcher(lambda: files)
    config.unlink()
    await watcher.run(reload, lambda: calls.append("restart"))
    assert calls == ["reload", "reload", "restart"]
