"""In which order targets are tried: as configured, by weight, and one provider after the other."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import UpstreamError
from sentinel_core.keys import PLAN, Target
from sentinel_core.testing import FakeProvider
from sentinel_plugins.routing.config import RoutingConfig
from sentinel_plugins.routing.order import diverse, ordered
from tests.plugins.targets import targets

A, B, C = (Target(name, "fake") for name in "abc")
A1, A2, A3, B1, B2 = (Target(name[0], name) for name in ("a1", "a2", "a3", "b1", "b2"))
PLANS = st.lists(st.builds(Target, st.sampled_from("abc"), st.sampled_from(["m", "n", "o"])), max_size=8, unique=True)


def test_weights_are_kept_over_many_requests() -> None:
    config = RoutingConfig(strategy="weighted", weights={"a": 3, "b/fake": 1, "c": 0})
    plans = [ordered(config, (A, B, C)) for _ in range(4000)]
    first = Counter(plan[0] for plan in plans)
    assert 2700 < first[A] < 3300
    assert {plan[2] for plan in plans} == {C}
    assert {frozenset(plan) for plan in plans} == {frozenset((A, B, C))}


def test_weights_without_the_strategy_are_refused() -> None:
    with pytest.raises(ValueError, match="weighted"):
        RoutingConfig(weights={"a": 1})


@pytest.mark.parametrize(
    ("listed", "plan"),
    [
        ((A1, A2, B1), (A1, B1, A2)),
        ((A1, A2, A3, B1), (A1, B1, A2, A3)),
        ((A1, B1, B2, A2), (A1, B1, A2, B2)),
        ((A1, A2), (A1, A2)),
        ((), ()),
    ],
)
def test_s2_33_the_first_fallback_is_another_providers(listed: tuple[Target, ...], plan: tuple[Target, ...]) -> None:
    assert diverse(listed) == plan


@given(PLANS)
def test_s2_33_each_next_target_is_of_the_provider_that_was_tried_least(listed: list[Target]) -> None:
    plan = diverse(listed)
    assert sorted(map(str, plan)) == sorted(map(str, listed))
    assert plan[:1] == tuple(listed[:1])
    for provider in "abc":
        own = [[target for target in order if target.provider == provider] for order in (plan, listed)]
        assert own[0] == own[1], "the order of a provider's own targets is the operator's"
    for place, target in enumerate(plan):
        tried = Counter(before.provider for before in plan[:place])
        assert all(tried[target.provider] <= tried[left.provider] for left in plan[place:])
        if place and target.provider == plan[place - 1].provider:
            rivals = [left for left in plan[place:] if left.provider != target.provider]
            assert all(tried[rival.provider] > tried[target.provider] for rival in rivals)


def test_an_ordered_list_is_kept_unless_it_shall_be_diverse() -> None:
    listed = (A1, A2, B1)
    assert ordered(RoutingConfig(), listed) == listed
    assert ordered(RoutingConfig(diversify=True), listed) == (A1, B1, A2)


def test_weighted_plans_are_diverse_unless_they_shall_not_be_and_the_last_resort_stays_last() -> None:
    weights = {"a": 10**12, "b": 1, "c": 0}
    last = Target("c", "c1")
    plain = RoutingConfig(strategy="weighted", weights=weights, diversify=False)
    assert ordered(RoutingConfig(strategy="weighted", weights=weights), (A1, A2, B1, last))[1:] in (
        (B1, A2, last),
        (B1, A1, last),
    )
    assert {ordered(plain, (A1, A2, B1, last))[2:] for _ in range(20)} == {(B1, last)}


async def test_s2_33_after_a_failure_another_provider_is_asked() -> None:
    up = {"a": FakeProvider(UpstreamError("upstream_timeout")), "b": FakeProvider(("well",))}
    async with targets(up, A1, A2, B1, routing={"diversify": True}, retry={}, breaker={}) as live:
        driven = await live.ask()
        assert driven.ctx is not None
        assert (driven.text, driven.ctx[PLAN]) == ("well", (A1, B1, A2))
        assert [str(call.target) for provider in up.values() for call in provider.calls] == ["a/a1", "b/b1"]
