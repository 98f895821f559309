"""A record says of a request what the ledger says of the call that answered it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sentinel_core.attempt import NOT_CALLED, Attempt
from sentinel_core.chain.account import Account
from sentinel_core.context import Outcome
from sentinel_core.costs import COSTS, AttemptCost
from sentinel_core.keys import Target
from sentinel_core.testing import context
from sentinel_core.usage import Usage
from sentinel_plugins.audit.entry import terminal

FIRST, SECOND = Target("one", "a"), Target("two", "b")


def charged(attempt: Attempt, completion_tokens: int) -> AttemptCost:
    usage = Usage(8, completion_tokens, 8 + completion_tokens)
    return AttemptCost(attempt.number, attempt.target, usage, "partial", 10)


def recorded(
    *attempts: Attempt,
    costs: tuple[AttemptCost, ...] | None = None,
    reported: Usage | None = None,
    model: str | None = "asked",
) -> Mapping[str, Any]:  # a record's fields
    ctx = context()
    ctx.request = msgspec.structs.replace(ctx.request, model=model)
    ctx.attempts.extend(attempts)
    if costs is not None:
        ctx[COSTS] = costs
    outcome = Outcome("completed", Account(ctx, ()), usage=reported)
    return terminal(ctx, outcome, 1.0, lost=0, content=False).fields


def test_of_a_stream_that_broke_off_it_has_the_tokens_of_the_ledger_and_not_those_of_the_beginning() -> None:
    call = Attempt(1, FIRST, 0.0, "failed", "upstream_stream_interrupted", taken=True)
    early = Usage(8, 1, 9)
    assert recorded(call, costs=(charged(call, 401),), reported=early)["completion_tokens"] == 401
    assert recorded(call, reported=early)["completion_tokens"] == 1, "nobody keeps a ledger"


def test_of_two_calls_beside_each_other_it_shows_the_one_whose_reply_was_taken() -> None:
    won = Attempt(1, FIRST, 0.0, "completed", taken=True)
    lost = Attempt(2, SECOND, 0.2, "discarded")
    entry = recorded(won, lost, costs=(charged(won, 51), charged(lost, 0)))
    shown = {"provider": "one", "target_model": "a", "completion_tokens": 51, "ending": "completed"}
    assert {name: entry[name] for name in shown} == shown
    assert (entry["attempts"], entry["cost_nanousd"]) == (2, 20)


def test_of_calls_that_all_failed_it_shows_the_last() -> None:
    one, two = (Attempt(n, target, 0.0, "failed", "upstream_timeout") for n, target in ((1, FIRST), (2, SECOND)))
    entry = recorded(one, two, costs=(charged(one, 1), charged(two, 2)))
    assert (entry["provider"], entry["completion_tokens"], entry["attempts"]) == ("two", 2, 2)


def test_a_call_that_was_never_made_is_none() -> None:
    failed = Attempt(1, SECOND, 0.0, "failed", "upstream_timeout")
    unannounced = Attempt(2, FIRST, 0.0, "discarded", NOT_CALLED)
    entry = recorded(failed, unannounced)
    assert (entry["provider"], entry["attempts"], entry["ending"]) == ("two", 1, "failed")
    nobody = {"provider": None, "target_model": None, "attempts": 0, "ending": None, "cost_nanousd": 0}
    entry = recorded(unannounced)
    assert {name: entry[name] for name in nobody} == nobody


def test_a_request_that_names_no_model_is_found_by_the_one_that_answered() -> None:
    call = Attempt(1, FIRST, 0.0, "completed", taken=True)
    assert recorded(call, model=None)["model"] == "a"
    assert recorded(call)["model"] == "asked"
    assert recorded(model=None)["model"] == ""
