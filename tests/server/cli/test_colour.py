"""Colours on a terminal, and nowhere else: on a real pseudo-terminal, as `NO_COLOR` and `TERM` say."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sentinel_server.cli import colour
from tests.long_form import long_form
from tests.pace import PATIENCE_S
from tests.server.process import PRIVATE

CONFIG = "[stages.pii]\n"
ESCAPE = b"\x1b["
ASKED = {
    "a terminal": ({"TERM": "xterm"}, True),
    "empty NO_COLOR": ({"TERM": "xterm", "NO_COLOR": ""}, True),
    "NO_COLOR": ({"TERM": "xterm", "NO_COLOR": "1"}, False),
    "a dumb terminal": ({"TERM": "dumb"}, False),
}
SCAN = (("scan", "text"), b"text: found")
SERVE = (("serve", "--port", "0"), b"try it")


@pytest.mark.parametrize(("said", "coloured"), ASKED.values(), ids=ASKED)
def test_colours_are_for_those_who_want_them(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    ours, theirs = os.openpty()
    with open(ours, "rb", buffering=0), open(theirs, "w") as terminal:
        assert colour.shown(terminal) is coloured
    with open(os.devnull, "w") as nowhere:
        assert not colour.shown(nowhere)


@long_form
@pytest.mark.parametrize("asked", ["a terminal", "NO_COLOR"])
@pytest.mark.parametrize("command", [SERVE, SCAN], ids=lambda command: command[0][0])
def test_commands_keep_to_it_on_a_real_terminal(
    tmp_path: Path, asked: str, command: tuple[tuple[str, ...], bytes]
) -> None:
    (said, coloured), (arguments, last) = ASKED[asked], command
    (tmp_path / "sentinel.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "text").write_text("ann@acme.com", "utf-8")
    shown = on_a_terminal(tmp_path, arguments, said, last)
    assert (ESCAPE in shown) is coloured, shown


def on_a_terminal(folder: Path, arguments: tuple[str, ...], said: dict[str, str], last: bytes) -> bytes:
    """What a command shows on a terminal until its last line begins; then Ctrl-C ends it, if it has not ended."""
    ours, theirs = os.openpty()
    environ = {name: value for name, value in os.environ.items() if not PRIVATE.search(name) and name != "NO_COLOR"}
    command = [sys.executable, "-m", "sentinel_server", *arguments]
    process = subprocess.Popen(command, cwd=folder, env=environ | said, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    with open(ours, "rb", buffering=0) as terminal:
        while last not in shown:
            assert select.select([terminal], [], [], PATIENCE_S)[0], shown
            shown += terminal.read(4096)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
    return shown
