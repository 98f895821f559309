"""Do what a new user does: README's first command in a fresh copy, one request, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from readme_command import command

INSTALL_AND_START_S = 300
DRAIN_S = 20
KEYS = ("OPENAI_API_KEY", "REDIS_URL")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(process: subprocess.Popen[bytes], base: str) -> None:
    """Return when the gateway answers; give up when its process ends or takes too long."""
    deadline = time.monotonic() + INSTALL_AND_START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the first command ended with {process.returncode} before it served")
        try:
            urllib.request.urlopen(f"{base}/health/ready", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"nothing was served within {INSTALL_AND_START_S} s")


def ask(base: str) -> str:
    """The text of one chat completion."""
    body = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}
    request = urllib.request.Request(
        f"{base}/v1/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        text: str = json.load(response)["choices"][0]["message"]["content"]
        return text


def main(clone: Path) -> None:
    """Serve, ask, interrupt; anything but an answer and exit code 0 is an error."""
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if name not in KEYS} | {"SENTINEL_PORT": str(port)}
    process = subprocess.Popen(["bash", "-c", command("serve")], cwd=clone, env=environ, start_new_session=True)
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}")
        print(f"served; the answer is {ask(f'http://127.0.0.1:{port}')!r}")
        os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C in a terminal does
        code = process.wait(DRAIN_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    if code != 0:
        raise SystemExit(f"Ctrl-C ended with exit code {code}, not 0")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
