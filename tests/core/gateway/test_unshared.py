"""What each of several processes would have for itself is refused, whoever opens the gateway."""

from __future__ import annotations

import pytest

from sentinel_core import Gateway
from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.json_types import TomlTable
from sentinel_core.testing import fake_services

STORES = {
    "state alone": ({"kind": "redis"}, {}, ["records"]),
    "records alone": ({}, {"kind": "sqlite"}, ["state"]),
    "neither": ({}, {}, ["state", "records"]),
    "both": ({"kind": "redis"}, {"kind": "redis"}, []),
    "accepted": ({"approximate": True}, {"approximate": True}, []),
}
ALONE: TomlTable = {"server": {"replicas": 3}, "providers": {"echo": {}}}


@pytest.mark.parametrize("processes", [{"workers": 2}, {"replicas": 2}], ids=str)
@pytest.mark.parametrize(("state", "records", "missing"), STORES.values(), ids=STORES)
def test_what_each_process_would_have_for_itself_refuses_to_start(
    processes: dict[str, int], state: TomlTable, records: TomlTable, missing: list[str]
) -> None:
    tables = {"server": processes, "state": state, "records": records, "providers": {"echo": {}}}
    if not missing:
        Gateway(settings_from(tables))
        return
    with pytest.raises(ConfigError) as refused:
        Gateway(settings_from(tables))
    assert [problem.table for problem in refused.value.problems] == missing
    assert ("kind = 'sqlite'" in str(refused.value)) is ("records" in missing)
    Gateway(settings_from({**tables, "server": {}}))


async def test_a_reload_that_would_count_apart_changes_nothing() -> None:
    accepted = {**ALONE, "state": {"approximate": True}, "records": {"approximate": True}}
    async with Gateway(settings_from(accepted)) as gateway:
        with pytest.raises(ConfigError, match="would each count limits on their own"):
            await gateway.reload(settings_from(ALONE))
        assert gateway.settings.server.replicas == 3


async def test_whoever_gives_the_stores_knows_whether_they_are_shared() -> None:
    async with fake_services() as services, Gateway(settings_from(ALONE), services=services) as gateway:
        await gateway.reload()
        assert gateway.settings.server.replicas == 3
