"""C-10, C-44: what is served to whom, decided before anything listens."""

from __future__ import annotations

from typing import Any

import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_server import banner
from sentinel_server.exposure import check
from tests.plugins.auth.callers import ADMIN_KEY, PEPPER, STATIC, secret


def gateway(auth: dict[str, Any] | None, **server: Any) -> Gateway:  # TOML values
    stages = {"auth": auth} if auth is not None else {}
    return Gateway(settings_from({"server": server, "stages": stages, "providers": {"echo": {}}}))


@pytest.mark.parametrize("auth", [None, {}, {"admin_key": secret(ADMIN_KEY)}], ids=["no_stage", "no_key", "admin_only"])
def test_c10_a_public_address_without_keys_refuses_to_start(auth: dict[str, Any] | None) -> None:  # TOML values
    with pytest.raises(ConfigError, match="no stage authenticates callers"):
        check(gateway(auth, host="0.0.0.0"))
    check(gateway(auth, host="0.0.0.0", allow_anonymous=True))
    check(gateway(auth))


@pytest.mark.parametrize("auth", [{"api_key": secret(STATIC)}, {"pepper": secret(PEPPER)}], ids=["key", "pepper"])
def test_c10_with_keys_a_public_address_is_served_and_the_banner_says_so(auth: dict[str, Any]) -> None:  # TOML values
    open_to_all = gateway(auth, host="0.0.0.0")
    check(open_to_all)
    assert "authenticated by the chain" in banner.render(open_to_all, "http://x", color=False)
    assert "anonymous, from this machine only" in banner.render(gateway({}), "http://x", color=False)


STORES = {
    "state alone": ({"kind": "redis"}, {}, ["records"]),
    "records alone": ({}, {"kind": "sqlite"}, ["state"]),
    "neither": ({}, {}, ["state", "records"]),
    "both": ({"kind": "redis"}, {"kind": "redis"}, []),
    "accepted": ({"approximate": True}, {"approximate": True}, []),
}


@pytest.mark.parametrize("processes", [{"workers": 2}, {"replicas": 2}], ids=str)
@pytest.mark.parametrize(("state", "records", "missing"), STORES.values(), ids=STORES)
def test_what_each_process_would_have_for_itself_refuses_to_start(
    processes: dict[str, int], state: dict[str, Any], records: dict[str, Any], missing: list[str]
) -> None:  # TOML values
    tables = {"server": processes, "state": state, "records": records, "providers": {"echo": {}}}
    several = Gateway(settings_from(tables))
    if not missing:
        check(several)
        return
    with pytest.raises(ConfigError) as refused:
        check(several)
    assert [problem.table for problem in refused.value.problems] == missing
    assert ("kind = 'sqlite'" in str(refused.value)) is ("records" in missing)
    check(Gateway(settings_from({**tables, "server": {}})))
