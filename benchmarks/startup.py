"""Seconds from the command to the first completion with status 200, and the memory of the process tree then.

python -m benchmarks.startup [--runner uvicorn] [--quick] [--check] > startup.json
"""

from __future__ import annotations

from benchmarks.harness import accounting, report, targets
from benchmarks.harness.lab import lab
from benchmarks.harness.processes import Server
from benchmarks.harness.rounds import Metrics, Samples

FIRST_200_LIMIT_S = 1.5
MIB = 1024 * 1024


def metrics(server: Server) -> Metrics:
    """What one start cost."""
    return {
        "first_200_s": server.first_200_s,
        "pss_mib": server.pss_bytes() / MIB,
        "rss_mib": accounting.rss_bytes(server.pid) / MIB,
        "processes": float(len(accounting.tree(server.pid))),
    }


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--runner", choices=targets.RUNNERS, action="append", help="default: both")
    args = report.parse(parser)
    out = report.Report("startup", vars(args))
    runners = args.runner or targets.RUNNERS
    found = [t for runner in runners for t in (targets.bare(runner), targets.sentinel(runner))]
    samples: Samples = {}
    for _ in range(args.rounds):
        for target in found:  # one at a time: a second one that starts would take its core
            with lab([target]) as servers:
                samples.setdefault(target.name, []).append(metrics(servers[target.name]))
    out.add(samples)
    if args.check:
        for runner in runners:
            row = out.results[f"sentinel {runner} 0 noop"]
            name = f"seconds from start to the first 200 on {runner}"
            out.checks.append(report.at_most(name, row["first_200_s"], FIRST_200_LIMIT_S))
    out.emit()


if __name__ == "__main__":
    main()
