"""CPU time and memory of a process and all its descendants, read from /proc."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PPID, UTIME, STIME = 1, 11, 12  # proc(5): fields 4, 14, 15, counted after the command's closing parenthesis


def _stat(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def tree(root: int) -> list[int]:
    """`root` and its descendants that are alive now."""
    parents: dict[int, int] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[PPID])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
    found = [root]
    for parent in found:
        found.extend(pid for pid, its_parent in parents.items() if its_parent == parent)
    return found


def cpu_s(root: int) -> float:
    """User plus system seconds that the tree has used so far; resolution one tick, usually 10 ms."""
    ticks = 0
    for pid in tree(root):
        fields = _stat(pid)
        ticks += int(fields[UTIME]) + int(fields[STIME])
    return ticks * TICK_S


def pss_bytes(root: int) -> int:
    """Proportional set size of the tree: private memory plus its share of what is shared."""
    return sum(_rollup(pid, "Pss:") for pid in tree(root))


def rss_bytes(root: int) -> int:
    """Resident set size of the tree; pages shared between its processes count once for each."""
    return sum(_rollup(pid, "Rss:") for pid in tree(root))


def _rollup(pid: int, field: str) -> int:
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
