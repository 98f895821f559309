"""Prices: exact integers, one rounding, and no price where nobody knows one."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.keys import Target
from sentinel_core.limits import NANO, nanousd
from sentinel_core.model_facts import ModelFacts, PriceTier
from sentinel_core.price import DEAREST, MILLION, Price
from sentinel_core.prices import Prices
from sentinel_core.provider import Provider
from sentinel_core.testing import FakeProvider
from sentinel_core.usage import Usage
from sentinel_plugins.catalogue.catalogue import FileCatalogue
from sentinel_plugins.providers.echo.provider import EchoProvider
from sentinel_plugins.providers.openai.provider import OpenAIProvider
from tests.properties import promised

DATED = date(2026, 11, 21)
KINDS: dict[str, type[Provider]] = {"openai": OpenAIProvider, "mine": OpenAIProvider, "echo": EchoProvider}


def row(name: str = "m", provider: str = "openai", **fields: object) -> ModelFacts:
    return ModelFacts(id=name, provider=provider, **fields)  # type: ignore[arg-type]  # each test's own fields


def price(**fields: object) -> Price:
    found = Price.of(row("m", "openai", **fields), "v")
    assert found is not None
    return found


def prices(*rows: ModelFacts) -> Prices:
    return Prices(FileCatalogue(DATED, rows), KINDS)


def test_s4_13_s4_14_a_call_of_gpt_4o_costs_what_its_list_says() -> None:
    shipped = Prices(FileCatalogue.shipped(), KINDS)
    cost = shipped.cost(Target("openai", "gpt-4o"), Usage(1_000_000, 1_000_000))
    assert cost is not None
    assert (cost.input_cost, cost.output_cost, cost.total_cost) == (2.5, 10.0, 12.5)


def test_what_is_written_into_the_cache_for_an_hour_has_a_price_of_its_own() -> None:
    """Anthropic's is twice the prompt's, and 1.25 of it for five minutes."""
    shipped, target = Prices(FileCatalogue.shipped(), KINDS), Target("anthropic", "claude-sonnet-5")
    mixed = shipped.cost(target, Usage(1_000_000, 0, 0, 0, 0, 1_000_000, 400_000))
    assert mixed == (600 * 2_500_000 + 400 * 4_000_000, 0)
    one_price = price(input_usd=1.0, output_usd=1.0, cache_write_usd=2.0)
    assert one_price.total(Usage(1_000_000, 0, 0, 0, 0, 1_000_000, 1_000_000)) == 2 * NANO


counts = st.integers(0, 10_000_000)
dollars = st.decimals(0, 100, places=4).map(float)


@given(
    counts, counts, counts, counts, counts, counts, dollars, dollars, dollars, dollars, dollars, dollars,
    st.sampled_from([0.5, 1, 2]),
)  # fmt: skip
def test_a_cost_is_the_exact_sum_rounded_once(
    prompt: int, completion: int, cached: int, written: int, longer: int, thought: int,
    in_usd: float, out_usd: float, cached_usd: float, write_usd: float, longer_usd: float, thought_usd: float,
    factor: float,
) -> None:  # fmt: skip
    cached, thought = min(cached, prompt), min(thought, completion)
    written = min(written, prompt - cached)
    longer = min(longer, written)
    made = price(
        input_usd=in_usd, output_usd=out_usd, cached_input_usd=cached_usd, cache_write_usd=write_usd,
        cache_write_1h_usd=longer_usd, reasoning_usd=thought_usd, service_factors={"flex": factor},
    )  # fmt: skip
    usage = Usage(prompt, completion, 0, cached, thought, written, longer)

    def part(tokens: int, usd: float) -> Fraction:
        return tokens * Fraction(str(usd)) * NANO / MILLION * Fraction(str(factor))

    exact = part(prompt - cached - written, in_usd) + part(cached, cached_usd)
    exact += part(written - longer, write_usd) + part(longer, longer_usd)
    exact += part(completion - thought, out_usd) + part(thought, thought_usd)
    cost = made.cost(usage, "flex")
    assert abs(cost.total_nanousd - exact) <= Fraction(1, 2)
    assert cost.input_nanousd + cost.output_nanousd == cost.total_nanousd
    assert cost.input_nanousd >= 0
    assert cost.output_nanousd >= 0


@promised()
@given(counts, counts, counts, counts, counts, counts, dollars, dollars, dollars, dollars, dollars)
def test_p3_no_call_of_so_many_tokens_costs_more_than_at_most(
    prompt: int, completion: int, cached: int, written: int, longer: int, thought: int,
    in_usd: float, out_usd: float, write_usd: float, longer_usd: float, tier_usd: float,
) -> None:  # fmt: skip
    tier = PriceTier(above_tokens=200_000, input_usd=tier_usd, output_usd=tier_usd)
    rates = {"input_usd": in_usd, "output_usd": out_usd, "cache_write_usd": write_usd, "cache_write_1h_usd": longer_usd}
    made = price(**rates, tiers=(tier,))
    most = made.at_most(prompt, completion)
    assert made.cost(Usage(prompt, completion, 0, cached, thought, written, longer)).total_nanousd <= most
    assert made.cost(Usage(prompt // 2, completion // 2)).total_nanousd <= most
    usage = Usage(prompt, completion, 0, cached, thought, written, longer)
    assert made.total(usage) == made.total(usage, "of no factor"), "no tier is a factor of 1"
    assert most == made.at_most(prompt, completion, "of no factor")


@promised()
@given(
    st.dictionaries(st.sampled_from(["flex", "priority", "default"]), st.sampled_from([0.0, 0.5, 1.7, 2.0])),
    st.sampled_from([None, "auto", "default", "standard_only", "flex", "priority", "new"]), counts, counts,
)  # fmt: skip
def test_p3_no_tier_that_may_serve_a_request_costs_more_than_at_most(
    factors: dict[str, float], asked: str | None, prompt: int, completion: int
) -> None:
    made = price(input_usd=1.0, output_usd=10.0, service_factors=factors)
    plain = ["default", "standard"]
    binds = asked in ("default", "standard_only")
    served = plain if binds else [asked, *plain] if asked in factors else [*plain, *factors]
    most = made.at_most(prompt, completion, asked)
    assert most == max(made.total(Usage(prompt, completion), tier) for tier in served)


def test_shipped_tiers_cost_what_their_lists_say() -> None:
    shipped = Prices(FileCatalogue.shipped(), KINDS)
    millions = Usage(1_000_000, 1_000_000)
    listed = {("gpt-4o", "priority"): 21.25, ("gpt-4o", "default"): 12.5, ("gpt-5.6-luna", "priority"): 14.0}
    for (model, tier), usd in listed.items():
        cost = shipped.cost(Target("openai", model), millions, tier)
        assert cost is not None
        assert cost.total_cost == usd
    assert shipped.cost(Target("openai", "gpt-4o-mini"), Usage(1_000, 1_000), "priority") == (250_000, 1_000_000)


def test_no_call_costs_more_than_every_store_counts_exactly() -> None:
    made = price(input_usd=1.0, output_usd=1_000_000.0, service_factors={"priority": 1_000.0})
    for usage in (Usage(1 << 53, 1 << 53), Usage(0, 1 << 40)):
        assert made.total(usage, "priority") == DEAREST
        assert sum(made.cost(usage, "priority")) == DEAREST
        assert made.at_most(usage.prompt_tokens, usage.completion_tokens, "priority") == DEAREST
    assert nanousd(9_000_000) < DEAREST, "no budget is larger"


def test_a_tier_is_for_the_whole_call_and_begins_above_its_bound() -> None:
    tier = PriceTier(above_tokens=200_000, input_usd=2.5, output_usd=15.0)
    made = price(input_usd=1.25, output_usd=10.0, tiers=(tier,))
    assert made.cost(Usage(200_000, 0)).total_nanousd == NANO // 4
    assert made.cost(Usage(400_000, 1_000_000)).total_nanousd == 16 * NANO


def test_a_further_key_of_a_provider_has_that_ones_price() -> None:
    known = prices(row("openai/m", input_usd=1.0, output_usd=1.0, context_window=8_000), row("two/m", input_usd=9.0))
    facts = known.facts(Target("one", "m", twin_of="openai"))
    assert facts is not None
    assert (facts.input_usd, facts.context_window) == (1.0, 8_000)
    own = known.facts(Target("two", "m", twin_of="openai"))
    assert own is not None
    assert own.input_usd == 9.0, "a row of its own comes first"


def test_an_unknown_price_is_none_and_an_explicit_zero_is_a_price() -> None:
    known = prices(
        row("nothing"),
        row("half", input_usd=1.0),
        row("both", input_usd=1.0, capabilities=("chat", "embedding")),
        row("embeds", input_usd=1.0, capabilities=("embedding",)),
        row("free", input_usd=0.0, output_usd=0.0),
    )
    assert known.of(Target("openai", "nothing")) is None
    assert known.of(Target("openai", "half")) is None
    assert known.of(Target("openai", "both")) is None
    assert known.cost(Target("openai", "embeds"), Usage(1_000_000, 0)) == (NANO, 0)
    assert known.of(Target("openai", "unheard")) is None
    cost = known.cost(Target("openai", "free"), Usage(5, 5))
    assert cost is not None
    assert cost.total_nanousd == 0


def test_a_price_is_a_targets_only_at_the_provider_it_is_for() -> None:
    known = prices(
        row("gpt", "openai", input_usd=1.0, output_usd=1.0),
        row("mine/gpt", "openai", input_usd=9.0, output_usd=9.0),
        row("claude", "anthropic", input_usd=3.0, output_usd=3.0),
    )
    usage = Usage(1_000_000, 0)
    found = [known.cost(Target(table, "gpt"), usage) for table in ("openai", "mine")]
    assert [cost.total_cost for cost in found if cost is not None] == [1.0, 9.0]
    assert known.of(Target("openai", "claude")) is None
    assert known.unpriced((Target("openai", "claude"), Target("openai", "gpt"))) == (Target("openai", "claude"),)


def test_a_free_kind_costs_nothing_unless_a_row_says_otherwise() -> None:
    known = prices(row("echo/dear", "echo", input_usd=1.0, output_usd=1.0))
    assert known.cost(Target("echo", "any"), Usage(9, 9)) == (0, 0)
    assert known.cost(Target("echo", "dear"), Usage(1_000_000, 0)) == (NANO, 0)
    assert FakeProvider.free is False


def test_names_that_clients_invent_do_not_grow_what_is_remembered() -> None:
    known = prices()
    for number in range(10_000):
        assert known.of(Target("openai", f"m{number}")) is None
    assert len(known._found) <= 4096


def test_a_price_names_the_catalogue_it_is_from() -> None:
    shipped = FileCatalogue.shipped()
    found = Prices(shipped, KINDS).of(Target("openai", "gpt-4o"))
    assert found is not None
    assert found.version == shipped.version == str(shipped.dated)
