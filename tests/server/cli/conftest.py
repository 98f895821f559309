"""The command line in this process, in an empty folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from sentinel_server.cli import main


class Result(NamedTuple):
    """What a command printed, and its exit code."""

    code: object
    out: str
    err: str

    @property
    def told(self) -> str:
        """Standard error in one line, without the frame around a message."""
        return " ".join(self.err.replace("│", " ").split())


Sentinel: TypeAlias = Callable[..., Result]


@pytest.fixture
def sentinel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sentinel:
    """`sentinel("check", config="…")` runs one command. `config` is written to `sentinel.toml`."""
    for name in list(os.environ):
        if name.startswith(("SENTINEL", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, config: str | None = None) -> Result:
        if config is not None:
            (tmp_path / "sentinel.toml").write_text(config, "utf-8")
        with pytest.raises(SystemExit) as ending:
            main(arguments)
        return Result(ending.value.code, *capsys.readouterr())

    return run
