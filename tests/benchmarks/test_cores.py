"""The gateway has a core for itself: what else is started for a benchmark takes none of it."""

from __future__ import annotations

import os

import pytest

from benchmarks.harness.machine import cores, pinned
from tests.redis.binaries import BINARIES


def test_who_is_pinned_knows_the_same_cores() -> None:
    before, allowed = cores(), os.sched_getaffinity(0)
    for core in allowed:
        with pinned(core):
            assert cores() == before
    assert os.sched_getaffinity(0) == allowed


@pytest.mark.usefixtures("redis_server")  # skipped where there is none
def test_who_is_started_beside_a_redis_is_not_pinned_with_it() -> None:
    pytest.importorskip("uvloop", reason="the benchmark's load runs on it: the extra fast")
    from benchmarks.harness.redis_servers import redis

    allowed = os.sched_getaffinity(0)
    with redis(next(path for path in BINARIES.values() if path)) as store:
        assert store is not None
        assert os.sched_getaffinity(0) == allowed
