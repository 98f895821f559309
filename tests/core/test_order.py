"""The order of the chain: the default, a list, and every reason why a list is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import ConfigError
from sentinel_core.keys import CANDIDATES, PLAN, PRINCIPAL, Key
from sentinel_core.order import DEFAULT_ORDER, arrange, suggest
from sentinel_core.stage import Phase, Stage

OBSERVERS = ("telemetry", "metrics", "audit", "usage")
TENANT: Key[str] = Key("tenant")


def stage(name: str, **attributes: Any) -> type[Stage]:  # class attributes of Stage
    return type(name, (Stage,), {"name": name, "observer": name in OBSERVERS, **attributes})


def stages(*items: str | type[Stage]) -> dict[str, type[Stage]]:
    classes = [stage(item) if isinstance(item, str) else item for item in items]
    return {item.name: item for item in classes}


def problems(
    enabled: dict[str, type[Stage]],
    listed: Sequence[str] | None = None,
    **options: Any,  # the planner's own
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        arrange(enabled, listed, **options)
    return [str(problem) for problem in caught.value.problems]


AUTH = stage("auth", writes=(PRINCIPAL,))
RATE_LIMIT = stage("rate_limit", reads=(PRINCIPAL,))


def test_the_default_order_is_that_of_the_documentation() -> None:
    assert " ".join(DEFAULT_ORDER) == (
        "telemetry metrics audit usage health auth template memory rate_limit input_limits pii injection secrets "
        "cache routing hedge retry breaker"
    )


@given(st.permutations(DEFAULT_ORDER), st.integers(0, len(DEFAULT_ORDER)))
def test_enabled_stages_keep_the_default_order_however_the_tables_stand(names: list[str], count: int) -> None:
    enabled = set(names[:count])
    assert arrange(stages(*names[:count])) == tuple(name for name in DEFAULT_ORDER if name in enabled)


def test_a_stage_without_a_place_goes_behind_the_guards() -> None:
    assert arrange(stages("acme", "breaker", "cache", "secrets", "auth")) == (
        "auth",
        "secrets",
        "acme",
        "cache",
        "breaker",
    )


def test_stages_without_a_place_keep_the_order_of_their_tables() -> None:
    assert arrange(stages("zeta", "routing", "alpha", "auth")) == ("auth", "zeta", "alpha", "routing")


def test_an_observer_without_a_place_goes_behind_the_observers() -> None:
    assert arrange(stages("auth", stage("acme", observer=True), "audit")) == ("audit", "acme", "auth")


@pytest.mark.parametrize(
    ("declared", "order"),
    [
        ({"before": ("auth",)}, ("audit", "acme", "auth", "pii", "cache", "retry")),
        ({"before": ("pii",)}, ("audit", "auth", "acme", "pii", "cache", "retry")),
        ({"after": ("auth",)}, ("audit", "auth", "pii", "acme", "cache", "retry")),
        ({"after": ("cache",)}, ("audit", "auth", "pii", "cache", "acme", "retry")),
        ({"after": ("retry",)}, ("audit", "auth", "pii", "cache", "retry", "acme")),
        ({"after": ("auth",), "before": ("pii",)}, ("audit", "auth", "acme", "pii", "cache", "retry")),
        ({"after": ("not_enabled",), "before": ("nor_this",)}, ("audit", "auth", "pii", "acme", "cache", "retry")),
    ],
)
def test_a_stage_is_placed_by_what_it_declares(declared: dict[str, tuple[str, ...]], order: tuple[str, ...]) -> None:
    assert arrange(stages(stage("acme", **declared), "retry", "cache", "pii", "auth", "audit")) == order


def test_a_cycle_is_told_link_by_link() -> None:
    enabled = stages(stage("a", before=("b",)), stage("b", before=("c",)), stage("c", before=("a",)), "auth")
    assert problems(enabled) == problems(enabled, ["auth", "a", "b", "c"])
    (text,) = problems(enabled)
    for link in ("'a' before 'b' ('a' declares before 'b')", "'b' before 'c'", "'c' before 'a'"):
        assert link in text
    assert "auth" not in text


def test_a_contradiction_to_the_default_order_names_it() -> None:
    (text,) = problems(stages("auth", "pii", stage("acme", after=("pii",), before=("auth",))))
    assert "'auth' before 'pii' (so is the default order)" in text
    assert "'pii' before 'acme' ('acme' declares after 'pii')" in text


def test_an_observer_that_wants_to_stand_behind_a_stage_is_refused() -> None:
    (text,) = problems(stages("auth", stage("acme", observer=True, after=("auth",))))
    assert "'acme' is an observer, and observers stand first" in text


def test_a_list_is_taken_as_it_is() -> None:
    enabled = stages("cache", "auth", "pii")
    assert arrange(enabled, ["pii", "cache", "auth"]) == ("pii", "cache", "auth")
    assert arrange({}, []) == ()


def test_everything_wrong_with_a_list_is_told_at_once() -> None:
    enabled = stages("audit", AUTH, RATE_LIMIT, "pii", stage("acme", after=("pii",)), "retry")
    listed = ["rate_limit", "auth", "acme", "audit", "audit", "rety", "cache", "pii"]
    assert problems(enabled, listed, known=stages("cache")) == [
        "[chain] stages: 'audit' is listed more than once",
        "[chain] stages: 'rety' is listed but has no table [stages.rety]; did you mean 'retry'?",
        "[chain] stages: 'cache' is listed but not enabled; expected enabled = true in [stages.cache]",
        "[chain] stages: the enabled stage 'retry' is not listed; `sentinel check --suggest` has a place",
        "[chain] stages: 'audit' stands after 'auth', but 'audit' is an observer, "
        "and observers stand first; move 'audit' before 'auth'",
        "[chain] stages: 'pii' stands after 'acme', but 'acme' declares after 'pii'; move 'pii' before 'acme'",
        "[chain]: 'rate_limit' reads principal, which no earlier stage writes; "
        "'auth' does: move it before 'rate_limit'",
    ]


def test_a_missing_writer_is_proposed() -> None:
    assert problems(stages(RATE_LIMIT)) == [
        "[chain]: 'rate_limit' reads principal, which no earlier stage writes; "
        "'auth' does: enable it before 'rate_limit'"
    ]
    assert problems(stages(stage("acme", reads=(TENANT,))), known=stages(stage("zeta", writes=(TENANT,)))) == [
        "[chain]: 'acme' reads tenant, which no earlier stage writes; 'zeta' does: enable it before 'acme'"
    ]
    assert problems(stages(stage("acme", reads=(TENANT,)))) == [
        "[chain]: 'acme' reads tenant, which no earlier stage writes; no stage that is installed and named does"
    ]


def test_keys_of_one_name_are_not_one_key() -> None:
    assert problems(stages(AUTH, stage("acme", reads=(Key("principal"),))))


def test_the_gateway_writes_the_candidates() -> None:
    assert arrange(stages(stage("routing", reads=(CANDIDATES,), writes=(PLAN,))))


PHASES: tuple[Phase, ...] = ("on_request", "dispatch", "on_response", "on_stream", "on_finish")


@pytest.mark.parametrize("read", PHASES)
@pytest.mark.parametrize("write", PHASES)
@pytest.mark.parametrize("writer_first", [True, False])
def test_a_key_is_there_if_its_phase_ran_before(read: Phase, write: Phase, writer_first: bool) -> None:
    step = {"on_request": 0, "dispatch": 1, "on_response": 2, "on_stream": 2, "on_finish": 3}
    enabled = stages(stage("reader", reads={read: (TENANT,)}), stage("writer", writes={write: (TENANT,)}))
    listed = ["writer", "reader"] if writer_first else ["reader", "writer"]
    inward = step[read] < 2
    if step[write] < step[read] or (step[write] == step[read] and writer_first is inward):
        assert arrange(enabled, listed) == tuple(listed)
        return
    (text,) = problems(enabled, listed)
    assert "'reader' reads tenant" in text
    if step[write] == step[read]:
        assert f"'writer' does: move it {'before' if inward else 'after'} 'reader'" in text
    else:
        assert f"'writer' does, but only in {write}" in text


def test_a_stage_does_not_write_what_it_reads_itself_in_one_phase() -> None:
    (text,) = problems(stages(stage("acme", reads=(TENANT,), writes=(TENANT,))))
    assert "'acme' reads tenant" in text


def test_a_suggestion_follows_reads_and_writes() -> None:
    enabled = stages(stage("reader", reads=(TENANT,)), stage("writer", writes=(TENANT,)), AUTH, RATE_LIMIT)
    assert problems(enabled)
    order = suggest(enabled)
    assert order == ("auth", "rate_limit", "writer", "reader")
    assert arrange(enabled, order) == order


def test_a_suggestion_follows_the_reversed_phases() -> None:
    enabled = stages(
        stage("writer", writes={"on_finish": (TENANT,)}),
        stage("reader", reads={"on_finish": (TENANT,)}),
    )
    assert suggest(enabled) == ("reader", "writer")


def test_a_suggestion_that_does_not_exist_is_explained() -> None:
    enabled = stages(stage("a", reads=(TENANT,), before=("b",)), stage("b", writes=(TENANT,)))
    with pytest.raises(ConfigError, match=r"'b' before 'a' \('a' reads tenant, which 'b' writes\)"):
        suggest(enabled)


NAMES = st.sampled_from([*DEFAULT_ORDER, "acme", "zeta", "omega"])


@st.composite
def chains(draw: st.DrawFn) -> dict[str, type[Stage]]:
    names = draw(st.lists(NAMES, unique=True))
    keys = st.lists(st.sampled_from([TENANT, PRINCIPAL, PLAN]), max_size=1).map(tuple)
    others = st.lists(NAMES, max_size=2).map(tuple)
    draws = {"before": others, "after": others, "reads": keys, "writes": keys}
    return stages(*(stage(name, **{word: draw(kind) for word, kind in draws.items()}) for name in names))


@given(chains())
def test_an_order_keeps_every_declaration_or_is_refused_with_reasons(enabled: dict[str, type[Stage]]) -> None:
    try:
        order = arrange(enabled)
    except ConfigError as error:
        found = error.problems
        assert all(problem.table == "chain" for problem in found)
        return
    assert sorted(order) == sorted(enabled)
    assert arrange(enabled, order) == order
    for name, item in enabled.items():
        assert all(order.index(name) < order.index(other) for other in item.before if other in enabled)
        assert all(order.index(name) > order.index(other) for other in item.after if other in enabled)
