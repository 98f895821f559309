"""What `sentinel` does before any command runs: with signals that nobody heeds yet (S01), and with closed streams."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import cast

import pytest

from sentinel_server.__main__ import end, main

CLOSED = """
import os, sys
for number in (0, 1, 2):
    os.close(number)
sys.stdin = sys.stdout = sys.stderr = None
from sentinel_server.__main__ import stand_in
stand_in()
print("for nobody", file=sys.stderr)
print("for nobody", flush=True)
streams = (sys.stdin, sys.stdout, sys.stderr)
assert [stream.fileno() for stream in streams] == [0, 1, 2]
assert all(os.get_inheritable(number) for number in (0, 1, 2))
assert sys.stdin.read() == ""
"""
TOLD = "import os, signal; from sentinel_server.__main__ import end; signal.signal(15, end); os.kill(os.getpid(), 15)"


@pytest.fixture
def own_signals() -> Iterator[None]:
    """This process's own ways with signals, afterwards."""
    heeded = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in heeded.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
def test_sigterm_ends_a_process_from_the_first_moment_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sentinel", "version"])
    with pytest.raises(SystemExit):
        main()
    assert signal.getsignal(signal.SIGTERM) is end


def test_a_process_that_sigterm_ends_names_it() -> None:
    assert subprocess.run([sys.executable, "-c", TOLD], check=False).returncode == -signal.SIGTERM


@pytest.mark.usefixtures("own_signals")
def test_the_first_process_of_a_container_ends_though_the_kernel_spares_it(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: None)
    monkeypatch.setattr(os, "_exit", codes.append)
    end(signal.SIGTERM, None)
    assert codes == [143]


class Interrupted:
    """A module that somebody interrupts as it is imported."""

    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


@pytest.mark.usefixtures("own_signals")
def test_ctrl_c_while_modules_are_imported_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentinel_server.cli", cast("ModuleType", Interrupted()))
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 130


def test_a_stream_that_was_closed_is_no_failure_and_nobody_elses_file() -> None:
    assert subprocess.run([sys.executable, "-c", CLOSED], check=False).returncode == 0
