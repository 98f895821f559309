"""What is measured: how each target is started, in front of the same mock."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from benchmarks.harness import machine, metering, payloads

RUNNERS = ("uvicorn", "hypercorn")
BENCHMARKS = machine.ROOT / "benchmarks"
NOOP_PLUGIN = BENCHMARKS / "noop_plugin"
STAGES = 8

Command = Callable[[int, int, Path], Sequence[str]]
"""(own port, upstream's port, an empty folder) -> the command that serves on 127.0.0.1:<own port>."""
Headers = Callable[[int], Mapping[str, str]]
"""(upstream's port) -> headers that this server wants in every request."""


@dataclass(frozen=True, slots=True)
class Target:
    """One server to measure."""

    name: str
    command: Command
    env: Mapping[str, str] = field(default_factory=dict)
    headers: Headers = lambda _: {}


def mock(chunks: int = 100, interval_ms: float = 10.0) -> Target:
    """The upstream itself."""
    options = ("--chunks", str(chunks), "--interval-ms", str(interval_ms))
    return Target("direct", lambda port, _, __: _module("benchmarks.mock_upstream", "--port", str(port), *options))


def bare(runner: str, *, decode: bool = False) -> Target:
    """Starlette and aiohttp, nothing else."""
    options = ("--runner", runner, *(("--decode",) if decode else ()))

    def command(port: int, upstream: int, _: Path) -> Sequence[str]:
        url = f"http://127.0.0.1:{upstream}"
        return _module("benchmarks.baselines.bare", "--port", str(port), "--upstream", url, *options)

    return Target(f"bare {runner}{' decoded' if decode else ''}", command)


def nginx() -> Target | None:
    """nginx `proxy_pass`, None where it is not installed."""
    binary = shutil.which("nginx")
    if binary is None:
        return None

    def command(port: int, upstream: int, work: Path) -> Sequence[str]:
        template = Template((BENCHMARKS / "baselines" / "nginx.conf").read_text())
        conf = work / "nginx.conf"
        conf.write_text(template.substitute(port=port, upstream=upstream, work=work))
        return (binary, "-p", str(work), "-c", str(conf), "-e", str(work / "nginx-error.log"))

    return Target("nginx", command)


SENTINEL_TOML = """\
[server]
host = "127.0.0.1"
port = {port}
workers = 1
runner = "{runner}"
log_level = "{log_level}"

{tables}
[providers.bench]
kind = "openai"
base_url = "http://127.0.0.1:{upstream}/v1"
api_key = {{ env = "BENCH_UPSTREAM_KEY" }}

[[models]]
name = "{model}"
targets = [{{ provider = "bench" }}]
"""


def sentinel(runner: str, *, stages: int = 0, kind: str = "noop", logged: bool = False) -> Target:
    """`sentinel serve` with the `openai` provider and `stages` stages of the no-op plugin.

    Without `logged` it writes no access log, as none of the other targets does.
    """
    names = [f"{kind}_{number}" for number in range(1, stages + 1)]
    chain = "[chain]\nstages = [{}]\n\n".format(", ".join(f'"{name}"' for name in names))

    tables = chain + "".join(f"[stages.{name}]\n\n" for name in names)
    command = _serving(runner, lambda _: tables, log_level="info" if logged else "warning")
    return Target(f"sentinel {runner} {stages} {kind}{' logged' if logged else ''}", command, noop_environment())


def guarded(runner: str, name: str, stages: Mapping[str, str]) -> Target:
    """`sentinel serve` with these guards, each with the lines of its table, for requests and replies."""
    tables = "".join(f"[stages.{stage}]\n{lines}\n" for stage, lines in stages.items())
    chain = "[chain]\nstages = [{}]\n\n".format(", ".join(f'"{stage}"' for stage in stages))
    command = _serving(runner, lambda _: chain + tables)
    return Target(f"{name} {runner}", command, noop_environment())


METERED = ("none", "memory", "sqlite", "redis")


def metered(runner: str, kind: str, redis_urls: tuple[str, str] = ("", "")) -> Target:
    """`sentinel serve` with authentication, limits, a budget and the ledger, and where they keep what they know.

    "none" has no stages; "sqlite" keeps its ledger there and its state in memory, "redis" its state at the first of the
    URLs and its ledger at the second.
    """
    redis = 'kind = "redis"\nurl = {{{{ env = "{}_URL" }}}}\n'
    stores = {
        "none": "[chain]\nstages = []\n",
        "memory": '[records]\nkind = "memory"\n',
        "sqlite": '[records]\nkind = "sqlite"\npath = "{work}/records.db"\n',
        "redis": "[state]\n"
        + redis.format("STATE")
        + "\n[records]\n"
        + redis.format("RECORDS")
        + 'spool = "{work}/spool"\n',
    }
    stages = "" if kind == "none" else metering.AUTH + metering.limits("upper_bound") + metering.USAGE
    command = _serving(runner, lambda work: stores[kind].format(work=work) + stages)
    state, records = redis_urls
    env = {"BENCH_UPSTREAM_KEY": "sk-upstream", metering.KEY_VARIABLE: metering.KEY}
    env |= {"STATE_URL": state, "RECORDS_URL": records}
    return Target(f"{kind} {runner}", command, env, lambda _: metering.HEADERS)


NEIGHBOUR_PER_S = 5


def neighbours(runner: str, tenants: Sequence[str]) -> Target:
    """`sentinel serve` with a key for each tenant, `NEIGHBOUR_PER_S` requests a second for each, and the ledger."""
    keys = "".join(
        f'[stages.auth.tenants.{name}]\n[stages.auth.keys.{name}]\ntenant = "{name}"\n'
        f'secret = {{ env = "KEY_{name.upper()}" }}\n'
        for name in tenants
    )
    limit = f"[stages.rate_limit.tenant]\nrequests_per_minute = {60 * NEIGHBOUR_PER_S}\n"
    command = _serving(runner, lambda _: keys + limit + metering.USAGE)
    env = {"BENCH_UPSTREAM_KEY": "sk-upstream", **{f"KEY_{name.upper()}": neighbour_key(name) for name in tenants}}
    return Target("neighbours", command, env, lambda _: {"authorization": f"Bearer {neighbour_key(tenants[0])}"})


def neighbour_key(tenant: str) -> str:
    """The key of one of them."""
    return f"sk-of-the-neighbour-{tenant}"


def noop_environment() -> Mapping[str, str]:
    """An environment in which the no-op plugin counts as installed: its folder holds code and entry points."""
    paths = (str(machine.ROOT), str(NOOP_PLUGIN), os.environ.get("PYTHONPATH", ""))
    return {"PYTHONPATH": os.pathsep.join(path for path in paths if path), "BENCH_UPSTREAM_KEY": "sk-upstream"}


def _serving(runner: str, tables: Callable[[Path], str], log_level: str = "warning") -> Command:
    """What starts `sentinel serve` with these tables, which may say where the target's folder is."""

    def command(port: int, upstream: int, work: Path) -> Sequence[str]:
        conf = work / "sentinel.toml"
        text = SENTINEL_TOML.format(
            port=port,
            upstream=upstream,
            runner=runner,
            log_level=log_level,
            tables=tables(work),
            model=payloads.MODEL,
        )
        conf.write_text(text)
        return _module("sentinel_server", "serve", "--config", str(conf))

    return command


def _module(name: str, *args: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *args)
