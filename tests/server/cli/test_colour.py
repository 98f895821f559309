"""Colours on a terminal, and nowhere else: on a real pseudo-terminal, as `NO_COLOR` and `TERM` say."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pace import PATIENCE_S
from tests.server.process import PRIVATE

CONFIG = "[stages.input_limits]\nmax_message_chars = 3\n"
ESCAPE = b"\x1b["
COLOURED = [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": ""}, True)]
PLAIN = [({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]


@pytest.mark.parametrize(("said", "coloured"), COLOURED + PLAIN, ids=str)
@pytest.mark.parametrize(
    ("arguments", "last"),
    [(("scan", "text"), b"text: found"), (("serve", "--port", "0"), b"try it")],
    ids=["scan", "serve"],
)
def test_colours_are_for_those_who_want_them(
    tmp_path: Path, said: dict[str, str], coloured: bool, arguments: tuple[str, ...], last: bytes
) -> None:
    (tmp_path / "sentinel.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "text").write_text("hello", "utf-8")
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
