"""When a call was, as its intent and its row say."""

from __future__ import annotations

from sentinel_core.attempt import Attempt
from sentinel_core.costs import AttemptCost
from sentinel_core.keys import Target
from sentinel_core.ledger import ADMITTED_AT
from sentinel_core.testing import context
from sentinel_core.usage import Usage
from sentinel_plugins.usage.row import NONCE, ended_calls, intent

DECEMBER = 1_796_083_200.0
TARGET = Target("up", "m")
COST = AttemptCost(1, TARGET, Usage(1, 1, 2), "reported", 1)


def test_d07_the_money_of_a_call_counts_when_its_request_was_admitted_whether_or_not_it_ended() -> None:
    ctx = context()
    ctx[NONCE], ctx[ADMITTED_AT] = "n", DECEMBER - 1
    ctx.attempts.append(Attempt(1, TARGET, 10.0, "completed", ended=12.0))
    began = intent(ctx, ctx.attempts[0], COST, DECEMBER + 1)
    (ended,) = [call.record() for call in ended_calls(ctx, (COST,), DECEMBER + 3)]
    assert began.at == ended.at == DECEMBER - 1
    assert began.id == ended.id


def test_where_no_budget_pays_a_call_is_dated_when_it_began() -> None:
    ctx = context()
    ctx[NONCE] = "n"
    ctx.attempts.append(Attempt(1, TARGET, 10.0, "completed", ended=12.0))
    assert intent(ctx, ctx.attempts[0], COST, 50.0).at == 50.0
    assert [call.record().at for call in ended_calls(ctx, (COST,), 60.0)] == [58.0]
