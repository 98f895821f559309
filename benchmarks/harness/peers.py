"""Other gateways, each installed into an environment of its own in a cache folder, and started with nothing extra on.

Versions are pinned: a table can be repeated only with the versions that it names, and a release of somebody else's
gateway should be looked at before it runs on your machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness import payloads
from benchmarks.harness.targets import Target

LITELLM = "litellm[proxy]==1.106.2"
PORTKEY = "@portkey-ai/gateway@1.15.2"
INSTALL_S = 900

LITELLM_YAML = """\
model_list:
  - model_name: {model}
    litellm_params:
      model: openai/{model}
      api_base: http://127.0.0.1:{upstream}/v1
      api_key: sk-upstream
"""


class NotInstallable(Exception):
    """A peer cannot be had here; the message says why."""


def cache_folder() -> Path:
    """Where the environments are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "sentinel-benchmarks"


def litellm(cache: Path) -> Target:
    """LiteLLM's proxy, one worker, no guards, no cache, no limits. Raises `NotInstallable`."""
    home = cache / "litellm"
    binary = home / "bin" / "litellm"
    if not binary.exists():
        _install([sys.executable, "-m", "venv", str(home)])
        _install([str(home / "bin" / "pip"), "install", "--quiet", LITELLM])

    def command(port: int, upstream: int, work: Path) -> Sequence[str]:
        config = work / "litellm.yaml"
        config.write_text(LITELLM_YAML.format(model=payloads.MODEL, upstream=upstream))
        options = ("--host", "127.0.0.1", "--port", str(port), "--num_workers", "1")
        return (str(binary), "--config", str(config), *options)

    env = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",  # none of the others checks a key; loopback only
    }
    return Target(f"litellm {LITELLM.rpartition('==')[2]}", command, env)


def portkey(cache: Path) -> Target:
    """Portkey's gateway on node. Raises `NotInstallable`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotInstallable("node and npm are not installed")
    home = cache / "portkey"
    script = home / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not script.exists():
        home.mkdir(parents=True, exist_ok=True)
        _install([npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(home), PORTKEY])

    def command(port: int, upstream: int, work: Path) -> Sequence[str]:
        return (node, str(script), f"--port={port}", "--headless")

    def headers(upstream: int) -> Mapping[str, str]:
        return {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1"}

    return Target(f"portkey {PORTKEY.rpartition('@')[2]}", command, {"NODE_ENV": "production"}, headers)


def _install(command: Sequence[str]) -> None:
    print(f"installing: {' '.join(command)}", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(str(error)) from error
    if done.returncode:
        raise NotInstallable(f"{command[0]} exited {done.returncode}: {done.stderr.strip()[-300:]}")
