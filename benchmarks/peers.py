"""Sentinel beside other gateways, on the same core in front of the same mock: unary and 32 streams.

    python -m benchmarks.peers [--quick] [--cache FOLDER] > peers.json

The first run installs LiteLLM (a virtual environment) and Portkey (an npm prefix) into the cache folder. What cannot
be installed is listed as skipped, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import uvloop

from benchmarks import streaming, throughput
from benchmarks.harness import peers, report, targets
from benchmarks.harness.lab import lab
from benchmarks.harness.processes import Server
from benchmarks.harness.rounds import Samples, ratio
from benchmarks.harness.streams import stream_load
from benchmarks.harness.unary import LoadError

CONNECTIONS = 32


def installed(cache: Path) -> tuple[list[targets.Target], dict[str, str]]:
    """The peers that are there or could be installed, and why the others are missing."""
    found: list[targets.Target] = []
    skipped: dict[str, str] = {}
    for name, install in (("litellm", peers.litellm), ("portkey", peers.portkey)):
        try:
            found.append(install(cache))
        except peers.NotInstallable as reason:
            skipped[name] = str(reason)
    return found, skipped


def ours() -> list[targets.Target]:
    """Sentinel with eight no-op stages on each runner, and nginx where it is installed."""
    nginx = targets.nginx()
    sentinels = [targets.sentinel(runner, stages=targets.STAGES) for runner in targets.RUNNERS]
    return [*([nginx] if nginx else []), *sentinels]


async def streaming_servers(servers: Mapping[str, Server], skipped: dict[str, str]) -> dict[str, Server]:
    """The servers that can stream here (Portkey 1.15.2 on node 20 answers 500); the others are noted as skipped."""
    able: dict[str, Server] = {}
    for name, server in servers.items():
        try:
            async with stream_load(server, 1, 0.0) as running:
                running.check()
            able[name] = server
        except LoadError as reason:
            skipped[f"{name}, streams"] = str(reason)
    return able


def compare(out: report.Report, samples: Samples, metric: str, others: list[targets.Target]) -> None:
    """What each peer spends, as a multiple of Sentinel's."""
    for other in others:
        for runner in targets.RUNNERS if other.name in samples else ():
            out.ratios.append(ratio(samples, other.name, f"sentinel {runner} {targets.STAGES} noop", metric))


def main() -> None:
    parser = report.arguments(__doc__, rounds=3)
    parser.add_argument("--cache", type=Path, default=peers.cache_folder())
    args = report.parse(parser)
    others, skipped = installed(args.cache)
    arguments = {**vars(args), "cache": str(args.cache)}
    out = report.Report("peers", arguments, skipped=skipped)
    with lab([*ours(), *others]) as servers:
        for server in servers.values():
            out.results[f"{server.name} start"] = {"first_200_s": server.first_200_s}
        unary = uvloop.run(throughput.run(servers, args.rounds, CONNECTIONS, args.seconds))
        able = uvloop.run(streaming_servers(servers, skipped))
        streams = uvloop.run(streaming.run(able, streaming.LOADS[32], args.rounds, args.seconds))
        for server in servers.values():
            out.results[f"{server.name} after"] = {"pss_mib": server.pss_bytes() / 2**20}
    out.add(unary)
    compare(out, unary, "cpu_us", others)
    compare(out, streams, "cpu_us_event", others)
    out.add({f"{name} x32": rows for name, rows in streams.items()})
    out.emit()


if __name__ == "__main__":
    main()
