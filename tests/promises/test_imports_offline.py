"""Importing Sentinel opens no connection and asks no resolver, and starts neither threads nor processes."""

from __future__ import annotations

import subprocess
import sys

from tests.long_form import long_form

WATCH = """
import sys, threading

def refuse(event, args):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.fork"}:
        raise SystemExit(f"{event} {args}")

sys.addaudithook(refuse)
import sentinel_core, sentinel_core.testing, sentinel_server, sentinel_server.cli
from importlib.metadata import entry_points
for point in entry_points(group="sentinel"):
    if point.module.startswith("sentinel_plugins."):
        point.load()
assert threading.active_count() == 1, threading.enumerate()
print("quiet")
"""


@long_form
def test_import_of_every_module_is_quiet_on_the_network() -> None:
    done = subprocess.run([sys.executable, "-c", WATCH], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "quiet\n", done.stderr
