"""P4: the ledger is the upstreams' own meter, row for row, whatever is repeated, replaced, broken or left."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Client
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.json_types import TomlTable
from sentinel_core.testing import chat_body
from sentinel_core.usage import Usage
from sentinel_plugins.usage.row import new_nonce
from tests.plugins.recording.written import rows
from tests.plugins.records.opened import Opener
from tests.plugins.usage.ledger import COMPLETION, PROMPT, Books, Fate, books
from tests.properties import promised

fates = st.lists(st.sampled_from(("serve", "refuse", "lose", "break")), max_size=12)
asked = st.lists(st.tuples(st.booleans(), st.none() | st.integers(0, 5)), min_size=1, max_size=6)


async def balance(b: Books) -> None:
    written = await b.rows()
    calls = [call for upstream in b.upstreams for call in upstream.calls]
    assert len(written) == len(calls) == len({row.id for row in written}), "one row for each call"
    billed = sorted((used for upstream in b.upstreams for used in upstream.billed), key=str)
    ended = [row.fields for row in written if row.fields["ending"] == "completed"]
    found = [
        Usage(row["prompt_tokens"], row["completion_tokens"], row["prompt_tokens"] + row["completion_tokens"])
        for row in ended
    ]
    assert sorted(found, key=str) == billed
    assert {row["provenance"] for row in ended} <= {"reported"}
    (total,) = await b.gateway.records.aggregate("usage", tenant=None, sums=("prompt_tokens",))
    await b.gateway.records.append("usage", written)
    assert await b.gateway.records.aggregate("usage", tenant=None, sums=("prompt_tokens",)) == (total,), "once"
    by_provider = await b.gateway.records.aggregate(
        "usage", tenant=None, group_by=("provider",), sums=("prompt_tokens",)
    )
    assert sum(group.sums[0] for group in by_provider) == total.sums[0]


@promised()
@given(fates=fates, asked=asked)
async def test_p4_the_ledger_is_the_upstreams_meter(fates: list[Fate], asked: list[tuple[bool, int | None]]) -> None:
    async with books(fates) as b:
        for stream, leave_after in asked:
            await b.ask(stream=stream, leave_after=leave_after)
        await balance(b)


async def test_p4_a_mixed_run_of_repeated_replaced_broken_and_left_calls(records_table: TomlTable) -> None:
    async with books(["refuse", "serve", "break", "serve", "lose", "lose", "serve"], records=records_table) as b:
        for stream, leave_after in ((False, None), (True, None), (True, 2), (False, None), (True, None)):
            await b.ask(stream=stream, leave_after=leave_after)
        await balance(b)
        endings = [row.fields["ending"] for row in await b.rows()]
        assert {"completed", "failed", "discarded"} <= set(endings)


async def test_p4_the_ledger_agrees_with_the_stage_that_settles(records_table: TomlTable) -> None:
    """`rate_limit` has worked out the costs already; the rows are the same."""
    async with books(["serve", "lose", "serve", "break"], records=records_table, rate_limit={}) as b:
        for stream in (False, True, True):
            await b.ask(stream=stream)
        await balance(b)


async def test_a_row_says_who_was_called_for_what_and_how_it_ended(records_table: TomlTable) -> None:
    async with books(["refuse"], records=records_table, retry={"max_attempts": 1}) as b:
        await b.ask(stream=False)
        await b.ask(stream=True)
        found = [row.fields for row in await b.rows()]
    first, last = found[0], found[-1]
    assert (first["model"], first["provider"], first["target_model"]) == ("m", "fake", "fake")
    assert (first["ending"], first["error"], first["attempt"]) == ("failed", "upstream_error", 1)
    assert (last["ending"], last["streamed"], last["operation"]) == ("completed", True, "chat")
    assert (last["completion_tokens"], last["cost_nanousd"], last["unpriced"]) == (COMPLETION, None, 1)
    assert last["prompt_tokens"] >= PROMPT
    assert sum(row["requests"] for row in found) == 2


async def test_two_requests_with_one_id_have_rows_of_their_own(records_table: TomlTable) -> None:
    """Clients choose request ids: whoever chooses one twice must not use the second for nothing."""
    async with books(records=records_table) as b:
        for _ in range(2):
            ctx = b.gateway.context(OPENAI_CHAT.decode_request(chat_body(model="m")), id="same")
            async with b.gateway.open(ctx):
                pass
        found = await b.rows()
    assert [row.fields["request_id"] for row in found] == ["same", "same"]


def test_the_rows_of_one_request_id_never_share_an_id_however_often_a_client_sends_it() -> None:
    many = 200_000
    assert len({new_nonce() for _ in range(many)}) == many


@pytest.mark.parametrize(
    ("address", "principal"), [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2::7", "2001:db8:1:2::/64"), ("", "")]
)
async def test_a_caller_whom_nobody_knows_is_the_network_that_limits_of_addresses_count(
    address: str, principal: str
) -> None:
    async with books() as b:
        ctx = b.gateway.context(OPENAI_CHAT.decode_request(chat_body(model="m")), client=Client(address))
        async with b.gateway.open(ctx):
            pass
        assert [row.fields["principal"] for row in await b.rows()] == [principal]


async def test_rows_are_there_when_the_gateway_has_closed(records_table: TomlTable, opener: Opener) -> None:
    async with books(records=records_table) as b:
        kept = b.gateway.records
        await b.ask(stream=False)
    async with opener() if kept.durable else nullcontext(kept) as records:
        assert len(await rows(records, "usage", 1)) == 1
