"""What every test shares: how many examples properties take, the scripted upstream and a real Redis."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

gc.disable()  # until everything is collected

TESTS = Path(__file__).parent
# Nobody here is called over TLS but what brings an authority of its own. Whoever trusts this one, whose key nobody has,
# instead of a system's hundred opens in no time: they take 50 ms for each client and each process.
os.environ["SSL_CERT_FILE"] = str(TESTS / "authority.pem")
pytest_plugins = ["tests.properties", "tests.no_skips", "tests.upstream.fixtures", "tests.redis.fixtures"]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Workers for `-n auto`: one more than there are cores, for many tests wait for processes and timers."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Workers that collect everything begin to import at different places: in a new clone what one of them has compiled
    the others need not compile as well, which is a tenth of the suite's time. What cannot be imported, collection says.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1 or [Path(arg).resolve() for arg in session.config.args] != [TESTS]:
        return
    modules = sorted(TESTS.rglob("test_*.py"))
    begin = len(modules) * int(worker) // workers
    for path in (*modules[begin:], *modules[:begin]):
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """What was collected stays to the end: the garbage collector need not look at a million such objects again and
    again. While they come it is off, which is a quarter of the time that they take."""
    gc.enable()
    gc.collect()
    gc.freeze()
