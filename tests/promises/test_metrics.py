"""Every metric of the code is in the reference, with its labels, and no other one is."""

from __future__ import annotations

import re
from pathlib import Path

from sentinel_core.config import settings_from
from sentinel_core.counts import Counting
from sentinel_core.gateway import Gateway
from sentinel_plugins.metrics.exposition import gauges
from sentinel_plugins.records.redis import RedisRecords, RedisRecordsConfig
from sentinel_plugins.state.redis import RedisState, RedisStateConfig
from sentinel_server.supervisor.worker import reloads
from tests.promises.tree import page

ROW = re.compile(r"^\| `([a-z_]+)` \| (.*?) ?\| .+ \|$", re.MULTILINE)
COUNTING = (
    *("metrics", "usage", "audit", "auth", "rate_limit", "input_limits", "pii", "injection", "secrets"),
    *("health", "routing", "retry", "breaker", "hedge"),
)


async def test_every_metric_is_documented_with_its_labels(tmp_path: Path) -> None:
    tables = {"stages": {name: {} for name in COUNTING}, "providers": {"echo": {"models": ["echo"]}}}
    async with Gateway(settings_from(tables)) as gateway:
        stores: list[object] = [
            RedisState(RedisStateConfig()),
            RedisRecords(RedisRecordsConfig(spool=str(tmp_path), spool_max_bytes=0)),
        ]
        assert all(isinstance(store, Counting) for store in stores)
        for store in stores:
            gateway.services.counts.include(store)
        reloads(gateway.services.counts)
        labels = {family.name: family.labels for family in gateway.services.counts}
        labels |= {gauge.name: () for gauge in gauges(gateway)}
    documented = {
        name: tuple(re.findall(r"`(\w+)`", cell)) for name, cell in ROW.findall(page("docs/reference/metrics.md"))
    }
    assert documented == labels
