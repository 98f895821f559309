"""docs/how-to/tenants.md is walked from its first line to its last, in a shell, with a real Redis at its end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.long_form import long_form
from tests.pace import PATIENCE_S
from tests.ports import free_port
from tests.promises.tree import FENCE, page
from tests.redis.server import RedisServer
from tests.served import PRIVATE

PAGE = "docs/how-to/tenants.md"
END = "end-of-a-command"
TABLE = re.compile(r"^\[state\]\n.*?(?=\n\[)", re.S | re.M)


class Shell:
    """One bash for the whole page. A prompt of its own says where a command's output ends."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, command: str) -> str:
        """What the command writes, errors included. It has to succeed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\necho $'\\n'{END} $?\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.startswith(END):
                assert line.split()[1] == "0", (command, lines)
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"never ended: {command}\n{''.join(lines)}")


@contextmanager
def shell(folder: Path, port: str) -> Iterator[Shell]:
    """A shell that finds `sentinel`, which listens on this port; whatever it starts ends with it."""
    environ = {name: value for name, value in os.environ.items() if not PRIVATE.search(name)}
    environ["SENTINEL__SERVER__PORT"] = port
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    process = subprocess.Popen(
        ["timeout", str(4 * PATIENCE_S), "bash", "--norc"],
        cwd=folder,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Shell(process)
    finally:
        process.communicate("kill $(jobs -p); wait\n")


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, and what the page says that they write."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif line.startswith("> "):
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def matches(shown: str, written: str) -> bool:
    """Whether a command wrote what the page shows, where `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in re.split(r"\s*…\s*", shown.strip()))
    return re.fullmatch(pattern, written.strip(), re.S) is not None


@long_form
def test_every_command_of_the_page_does_what_the_page_shows(redis_server: RedisServer, tmp_path: Path) -> None:
    places = {"8000": str(free_port()), "8001": str(free_port()), "6379": str(redis_server.port)}

    def here(text: str) -> str:
        return re.sub(r"\b(8000|8001|6379)\b", lambda found: places[found[0]], text)

    walked = 0
    with shell(tmp_path, places["8000"]) as bash:
        for block in FENCE.finditer(page(PAGE)):
            kind, _, name = (block["mark"] or "").partition(": ")
            file = tmp_path / name
            if kind == "file":
                file.write_text(here(block["text"]), "utf-8")
            elif kind == "edit":
                file.write_text(TABLE.sub(block["text"].strip(), file.read_text("utf-8")), "utf-8")
            else:
                assert kind == "walk", block["text"]
                for command, shown in commands(block["text"]):
                    written = bash.run(here(command))
                    assert matches(shown, written), (command, shown, written)
                    walked += 1
    assert walked > 25
