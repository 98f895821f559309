"""What calls cost: money for tokens, with where the numbers came from.

`costs_of` works it out once per request, for whichever stage asks first; `priced` does so for a unary answer before its
head leaves, so that the cost can be a header.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from sentinel_core.attempt import Attempt, served
from sentinel_core.context import Context, Outcome
from sentinel_core.events import TextEvent
from sentinel_core.keys import SERVED_BY, Key, Target
from sentinel_core.limits import NANO
from sentinel_core.messages import Answer
from sentinel_core.prices import Prices
from sentinel_core.tokens import BYTES_OF_A_TOKEN, Tokens
from sentinel_core.usage import Usage

Provenance: TypeAlias = Literal["reported", "estimated", "partial", "unknown"]
"""`reported` by the provider; `estimated` by counting what was sent and what came; `partial`, the same for an answer
that broke off; `unknown` where a call may have cost something that nobody can tell."""


class Provisional(Usage, frozen=True):
    """Counts from the beginning of a stream, or of a prompt alone: of the answer's tokens they are a guess, which
    counts as the least that was written."""


class AttemptCost(msgspec.Struct, frozen=True):
    """What one call of a provider cost. `nanousd` is None where the model has no price; explicit zeros are costs.

    Of a call with provenance `unknown`, `usage` and `nanousd` are the prompt's alone: the least that it cost if it was
    read at all. `price_version` says which catalogue the price is from.
    """

    number: int
    target: Target
    usage: Usage
    provenance: Provenance
    nanousd: int | None = None
    price_version: str = ""


COSTS: Key[tuple[AttemptCost, ...]] = Key("costs")
"""What the attempts of a request cost, one row each, written when it is over by the first stage that needs it."""

PRICES_IN_FORCE: Key[Prices] = Key("prices_in_force")
"""The prices of the generation that a request runs on, written where it is admitted."""

IN_DOUBT = frozenset(
    {
        *("upstream_timeout", "upstream_connection_reset", "upstream_stream_interrupted"),
        *("upstream_invalid_response", "internal_error"),
    }
)
"""Errors of calls that may be billed. Any other says that nothing was sent, or that the provider refused."""

COUNTED_CHARS = 1_048_576
"""How much of what was produced is counted: a tenth of a second's work in a thread. The rest counts in proportion."""


class Counted(msgspec.Struct, frozen=True):
    """Tokens of one call, and how they are known."""

    usage: Usage
    provenance: Provenance


class Produced(NamedTuple):
    """What came of the reply that was taken: its text as far as it is still known, and how many characters in all."""

    text: str = ""
    chars: int = 0


def known_costs(ctx: Context, prices: Prices) -> tuple[AttemptCost, ...] | None:
    """What each attempt cost, where the providers' own counts say so: written to `ctx[COSTS]`, None else."""
    costs = []
    for attempt in ctx.attempts:
        counted = _final(ctx, attempt)
        if counted is None:
            return None
        costs.append(_charged(ctx, attempt, counted, prices))
    ctx[COSTS] = found = tuple(costs)
    return found


def settled_costs(ctx: Context, prices: Prices) -> tuple[AttemptCost, ...] | None:
    """What is written of every attempt, or what `known_costs` says."""
    written = ctx.get(COSTS)
    return written if written is not None and len(written) == len(ctx.attempts) else known_costs(ctx, prices)


async def costs_of(ctx: Context, outcome: Outcome, prices: Prices, tokens: Tokens) -> tuple[AttemptCost, ...]:
    """What each attempt cost. Worked out once, and written to `ctx[COSTS]`."""
    known = settled_costs(ctx, prices)
    if known is not None:
        return known
    call, produced = served(ctx.attempts), Produced()
    if call is not None and not _is_final(call):
        produced = Produced(_text(outcome.guarded), outcome.produced.chars)
    return await _written(ctx, call, produced, prices, tokens)


async def priced(ctx: Context, answer: Answer, prices: Prices, tokens: Tokens) -> tuple[AttemptCost, ...]:
    """What the attempts behind a whole answer cost, as `costs_of` does."""
    known = known_costs(ctx, prices)
    if known is not None:
        return known
    text = "" if is_counted(answer.usage) else _text(answer)
    return await _written(ctx, _answered(ctx), Produced(text, len(text)), prices, tokens)


def is_counted(usage: Usage | None) -> bool:
    """Whether somebody else has counted an answer to its end."""
    return usage is not None and not isinstance(usage, Provisional)


def so_far(ctx: Context, usage: Usage) -> int | None:
    """What a request costs in nano-dollars if its stream ends with this usage; None where nobody can tell."""
    prices, call = ctx.get(PRICES_IN_FORCE), served(ctx.attempts)
    if prices is None or not is_counted(usage):
        return None
    rows = []
    for attempt in ctx.attempts:
        final = Counted(usage, "reported") if attempt is call else _final(ctx, attempt)
        rows.append(_charged(ctx, attempt, final or _lost(usage.prompt_tokens), prices))
    return total_nanousd(rows)


async def lost_cost(ctx: Context, attempt: Attempt, prices: Prices, tokens: Tokens) -> AttemptCost:
    """What a call costs of which nothing will be heard: `unknown`, at least its prompt."""
    if ctx.request.operation == "count_tokens":
        return _charged(ctx, attempt, Counted(Usage(), "unknown"), prices)
    prompt = (await tokens.prompt(ctx.request, attempt.target.model)).tokens
    return _charged(ctx, attempt, _lost(prompt), prices)


def total_nanousd(costs: Sequence[AttemptCost]) -> int | None:
    """The sum; None where the price of one is not known: the others are not the whole."""
    total = 0
    for cost in costs:
        if cost.nanousd is None:
            return None
        total += cost.nanousd
    return total


def dollars(nanousd: int) -> str:
    """Nano-dollars as dollars, exactly: `0.00015`."""
    whole, rest = nanousd // NANO, nanousd % NANO
    return f"{whole}.{str(rest).zfill(9)}".rstrip("0") if rest else str(whole)


async def _written(
    ctx: Context, call: Attempt | None, produced: Produced, prices: Prices, tokens: Tokens
) -> tuple[AttemptCost, ...]:
    # A prompt of no tokens is none that was counted: some servers write zeros into every chunk but the last.
    prompt = (call.usage.prompt_tokens or None) if call is not None and call.usage is not None else None
    costs = []
    for attempt in ctx.attempts:
        counted = _final(ctx, attempt)
        if counted is None:
            if prompt is None:
                prompt = (await tokens.prompt(ctx.request, attempt.target.model)).tokens
            came = attempt is call and (produced.chars or attempt.ending == "completed" or attempt.usage is not None)
            counted = await _came(attempt, produced, prompt, tokens) if came else _lost(prompt)
        costs.append(_charged(ctx, attempt, counted, prices))
    ctx[COSTS] = found = tuple(costs)
    return found


def _answered(ctx: Context) -> Attempt | None:
    """The call behind a whole answer that is not yet taken. Of several that ended together it is the one that the hedge
    says, or the first."""
    whole = [attempt for attempt in ctx.attempts if attempt.ending == "completed"]
    if len(whole) < 2:
        return served(ctx.attempts)
    target = ctx.get(SERVED_BY)
    return next((attempt for attempt in whole if attempt.target == target), whole[0])


def _is_final(attempt: Attempt) -> bool:
    """Whether the provider's own count is all there is to know: a stream that broke off may have had an early one, and
    one that ended none but that of its beginning."""
    if attempt.ending != "completed":
        return attempt.usage is not None and not attempt.taken
    return is_counted(attempt.usage)


def _final(ctx: Context, attempt: Attempt) -> Counted | None:
    """What is known without counting: the provider's own count, or that it charges nothing, because it refused or was
    only asked to count."""
    if ctx.request.operation == "count_tokens":
        return Counted(Usage(), "reported")
    if attempt.usage is not None and _is_final(attempt):
        return Counted(attempt.usage, "reported")
    refused = attempt.error is not None and attempt.error not in IN_DOUBT and not attempt.taken
    return Counted(Usage(), "reported") if refused else None


def _lost(prompt: int) -> Counted:
    """A call that may have been billed for at least its prompt."""
    return Counted(Usage(prompt, 0, prompt), "unknown")


async def _came(attempt: Attempt, produced: Produced, prompt: int, tokens: Tokens) -> Counted:
    """The reply that was taken and that nobody counted, or not to its end."""
    reported = attempt.usage or Usage()
    said = max(reported.completion_tokens, await _completion_tokens(produced, attempt.target.model, tokens))
    sums = {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}
    usage = Usage(**(msgspec.structs.asdict(reported) | sums))  # no provisional one any more
    return Counted(usage, "estimated" if attempt.ending == "completed" else "partial")


async def _completion_tokens(produced: Produced, model: str, tokens: Tokens) -> int:
    """Tokens of what was produced. What no longer is in the text, because a guard took it out, counts by its length."""
    if not produced.text:
        return -(-produced.chars // BYTES_OF_A_TOKEN)
    text = produced.text[:COUNTED_CHARS]
    said = (await tokens.text(text, model)).tokens
    return -(-said * produced.chars // len(text))


def _charged(ctx: Context, attempt: Attempt, counted: Counted, prices: Prices) -> AttemptCost:
    price, usage = prices.of(attempt.target), counted.usage
    if price is None:
        free = not (usage.prompt_tokens or usage.completion_tokens)
        return AttemptCost(attempt.number, attempt.target, usage, counted.provenance, 0 if free else None)
    tier = usage.service_tier or ctx.request.body.get("service_tier")
    cost = price.total(usage, tier if isinstance(tier, str) else None)
    return AttemptCost(attempt.number, attempt.target, usage, counted.provenance, cost, price.version)


def _text(answer: Answer | None) -> str:
    if answer is None:
        return ""
    return "".join(event.text for event in answer.dialect.decompose(answer) if isinstance(event, TextEvent))
