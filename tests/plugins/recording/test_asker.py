"""Who asked is one thing, in whichever rows it is written down, and whoever looks their own rows up."""

from __future__ import annotations

import pytest

from sentinel_core.attempt import Attempt
from sentinel_core.chain.account import Account
from sentinel_core.context import Client, Context, Outcome
from sentinel_core.costs import AttemptCost
from sentinel_core.keys import PRINCIPAL, Principal, Target
from sentinel_core.testing import context
from sentinel_core.usage import Usage
from sentinel_plugins.audit.entry import terminal
from sentinel_plugins.recording.asker import asker
from sentinel_plugins.recording.reach import own
from sentinel_plugins.usage.row import NONCE, intent

KEY = Principal("acme", "k1", kind="key", user="ann")
USER = Principal("acme", "ann", kind="user", user="ann")
ANYBODY = Principal("", "192.0.2.7")


def asked_by(principal: Principal | None) -> Context:
    ctx = Context(context().request, client=Client("192.0.2.7"))
    if principal is not None:
        ctx[PRINCIPAL] = principal
    return ctx


@pytest.mark.parametrize(
    ("principal", "said"),
    [
        (KEY, ("k1", "k1", "ann")),
        (USER, ("ann", None, "ann")),
        (ANYBODY, ("192.0.2.7", None, None)),
        (None, ("192.0.2.7", None, None)),
    ],
    ids=["key", "user", "anonymous", "nobody"],
)
def test_the_ledger_and_the_audit_say_the_same(
    principal: Principal | None, said: tuple[str, str | None, str | None]
) -> None:
    ctx = asked_by(principal)
    ctx[NONCE] = "n"
    attempt = Attempt(1, Target("up", "m"), 0.0)
    ctx.attempts.append(attempt)
    row = intent(ctx, attempt, AttemptCost(1, attempt.target, Usage(1, 1, 2), "partial", 1), 1.0)
    record = terminal(ctx, Outcome("completed", Account(ctx, ())), 1.0, lost=0, content=False)
    for fields in (asker(ctx), row.fields, record.fields):
        assert (fields["principal"], fields["key"], fields["user"]) == said
    assert own(principal).covers(row.tenant, row.fields)
    assert own(principal).covers(record.tenant, record.fields)
