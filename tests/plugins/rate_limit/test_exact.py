"""L12, P3, replays 3 and 6 through the whole stage: several gateways, one Redis, exactly as many as there may be."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from sentinel_core.limits import Limits
from tests.long_form import long_form
from tests.plugins.rate_limit.stage_hammer import ANSWERED, COST_USD, Order, gateways, together
from tests.redis.server import RedisServer

RUNS = 3


@pytest.fixture(scope="module")
def fleet() -> Iterator[list[Connection]]:
    """Four gateways."""
    with gateways(4) as fleet:
        yield fleet


@pytest.fixture(
    params=[
        pytest.param("", id="free"),
        pytest.param("-script", id="no script", marks=long_form),
        pytest.param("-evalsha -script", id="no evalsha", marks=long_form),
    ]
)
def url(request: pytest.FixtureRequest, redis_server: RedisServer) -> str:
    """A login at the server, and what it may not do."""
    user = f"stage{len(request.param)}"
    redis_server.ask("ACL", "SETUSER", user, "reset", "on", "nopass", "~*", "&*", "+@all", *request.param.split())
    return redis_server.url.replace("//", f"//{user}:any@")


def test_l12_replay_6_of_1000_on_four_gateways_exactly_100_are_admitted_in_each_of_three_runs(
    fleet: list[Connection], url: str
) -> None:
    for run in range(RUNS):
        told = together(fleet, Order(url, f"rate{run}", Limits(requests_per_hour=100), 250))
        assert dict(told.codes) == {None: 100, "rate_limit_exceeded": 900}
        assert told.calls == 100


def test_replay_3_where_one_call_fits_one_of_50_on_two_gateways_is_admitted(fleet: list[Connection], url: str) -> None:
    for run in range(RUNS):
        told = together(fleet[:2], Order(url, f"one{run}", Limits(total_usd=0.01), 25))
        assert dict(told.codes) == {None: 1, "insufficient_quota": 49}
        assert told.calls == 1


def test_p3_of_1000_at_once_with_room_for_100_exactly_100_are_admitted(fleet: list[Connection], url: str) -> None:
    told = together(fleet, Order(url, "hundred", Limits(total_usd=100 * COST_USD), 250))
    assert dict(told.codes) == {None: 100, "insufficient_quota": 900}
    assert told.calls == 100


def test_p1_where_one_limit_denies_nothing_of_the_others_is_used(fleet: list[Connection], url: str) -> None:
    few = Limits(requests_per_hour=100, tokens_per_hour=50 * ANSWERED + 49, total_usd=100 * COST_USD)
    told = together(fleet, Order(url, "several", few, 100))
    assert set(told.codes) == {None, "rate_limit_exceeded"}
    more = Limits(requests_per_hour=100, tokens_per_day=1_000_000, total_usd=100 * COST_USD)
    rest = together(fleet, Order(url, "several", more, 100))
    assert told.codes[None] + rest.codes[None] == 100
