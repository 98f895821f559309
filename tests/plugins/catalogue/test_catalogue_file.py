"""The shipped catalogue of models, and the operator's own file over it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sentinel_core.config import dump
from sentinel_core.errors import ConfigError
from sentinel_core.keys import Target
from sentinel_core.prices import Prices
from sentinel_core.tokens import MOST_IMAGE_TOKENS
from sentinel_plugins.catalogue.catalogue import FileCatalogue
from sentinel_plugins.catalogue.own import missing_rate
from sentinel_plugins.providers.openai.provider import OpenAIProvider

SHIPPED = FileCatalogue.shipped()
TODAY = date(2026, 11, 21)

# The catalogues of the source systems: S2-15 to S2-22, and the instruct model of S1-10.
LEDGER = {
    "openai": "gpt-4o gpt-4o-mini gpt-4-turbo gpt-4 gpt-3.5-turbo gpt-4-1106-preview gpt-4-0125-preview",
    "anthropic": "claude-3-5-sonnet-20241022 claude-3-opus-20240229 claude-3-sonnet-20240229 claude-3-haiku-20240307",
    "gemini": "gemini-pro gemini-pro-vision gemini-1.5-pro gemini-1.5-flash gemini-ultra",
    "xai": "grok-beta grok-2",
    "deepseek": "deepseek-chat deepseek-coder",
    "cohere": "command command-light",
    "mistral": "mistral-large mistral-medium mistral-small",
    "llama": "llama-3-70b llama-3-8b",
}


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(("provider", "models"), LEDGER.items())
def test_s2_15_to_s2_22_every_model_of_the_ledger_is_there(provider: str, models: str) -> None:
    for name in models.split():
        facts = SHIPPED.find(name)
        assert facts is not None, name
        assert facts.provider == provider


def test_s2_23_c_07_they_are_27_and_no_retired_one_is_passed_off_as_current() -> None:
    names = " ".join(LEDGER.values()).split()
    assert len(names) == 27
    answering = {name for name in names if (facts := SHIPPED.find(name)) and not facts.retired(TODAY)}
    assert answering == {"gpt-4o", "gpt-4o-mini", "llama-3-70b", "llama-3-8b"}


def test_s1_10_the_instruct_model_is_there_with_its_state() -> None:
    facts = SHIPPED.find("gpt-3.5-turbo-instruct")
    assert facts is not None
    assert (facts.capabilities, facts.status, facts.trust) == (("completion",), "retired", "unverified")


def test_every_provider_of_the_ledger_has_a_model_that_answers() -> None:
    current = {model.provider for model in SHIPPED.models() if model.status == "current"}
    assert current >= LEDGER.keys() - {"llama"}, "the ids of Llama models are their host's"


def test_every_successor_is_known_and_every_line_ends_in_a_model_that_answers() -> None:
    for model in SHIPPED.models():
        assert model.successor is None or SHIPPED.find(model.successor) is not None, model.id
        if model.status == "retired":
            assert SHIPPED.living(model.id, TODAY) is not None, model.id


def test_one_model_stands_for_each_provider_and_it_answers() -> None:
    for provider in {model.provider for model in SHIPPED.models() if model.default}:
        assert len([model for model in SHIPPED.models() if model.provider == provider and model.default]) == 1
        assert SHIPPED.default(provider, TODAY) is not None
    assert SHIPPED.default("openai", TODAY) == "gpt-4o-mini"


def test_c_07_a_default_gives_way_to_its_successor_on_the_day_it_ends() -> None:
    assert SHIPPED.default("openai", date(2027, 1, 13)) == "gpt-4o-mini"
    assert SHIPPED.default("openai", date(2027, 1, 14)) == "gpt-6-luna"


def test_a_model_that_nobody_knows_counts_as_living_and_a_line_in_a_circle_ends() -> None:
    assert SHIPPED.living("my-own-model", TODAY) == "my-own-model"
    assert SHIPPED.default("echo", TODAY) is None


def test_an_own_row_changes_only_the_keys_it_has(tmp_path: Path) -> None:
    path = own(tmp_path, '[[models]]\nid = "gpt-4o"\ninput_usd = 1.5\nprice_trust = "documented"\n')
    changed, shipped = SHIPPED.overlaid(path).find("gpt-4o"), SHIPPED.find("gpt-4o")
    assert changed is not None
    assert shipped is not None
    assert (changed.input_usd, changed.output_usd) == (1.5, shipped.output_usd)
    assert SHIPPED.find("gpt-4o") == shipped, "the shipped one is left alone"


def test_an_own_row_may_be_a_new_model_and_its_providers_default(tmp_path: Path) -> None:
    rows = '[[models]]\nid = "mine"\nprovider = "openai"\ndefault = true\n'
    circle = '[[models]]\nid = "a"\nprovider = "x"\nstatus = "retired"\nsuccessor = "a"\n'
    catalogue = SHIPPED.overlaid(own(tmp_path, rows + circle))
    assert catalogue.default("openai", TODAY) == "mine"
    assert catalogue.living("a", TODAY) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models = 1", "is not a catalogue"),
        ("", "is not a catalogue"),
        ("models = [1]", "models[0]: not a valid value; found 1; expected a table"),
        ("[[models]]\nprovider = 'openai'\n", "[models[0]] id: missing"),
        ("[[models]]\nid = 3\n", "[models[0]] id: not a valid value; found 3"),
        ("dated = 2026-11-21\n", "dated: unknown key"),
        ("[[models]]\nid = 'new'\n", '[models[0]] provider: missing for "new"'),
        ("[[models]]\nid = 'gpt-4o'\nprice = 1\n", '[models[0]] price: unknown key for "gpt-4o"'),
        ("[[models]]\nid = 'gpt-4o'\nstatus = 'dead'\n", "dead"),
        ("[[models]]\nid = 'gpt-4o'\ninput_usd = -1.0\n", "input_usd"),
        ("[[models]]\nid = 'gpt-4o'\ninput_usd = inf\n", "input_usd"),
        ("[[models]]\nid = 'gpt-4o'\noutput_usd = 1e300\n", "output_usd"),
        ("[[models]]\nid = 'gpt-4o'\nservice_factors = { flex = inf }\n", "service_factors"),
        ("[[models]]\nid = 'gpt-4o'\ntiers = [{ above_tokens = 1, input_usd = inf, output_usd = 1.0 }]\n", "tiers"),
        (
            "[[models]]\nid = 'embeds'\nprovider = 'p'\ninput_usd = 1.0\n",
            '[models[0]] output_usd: is not set for "embeds"',
        ),
        ("[[models]]\nid = 'new'\nprovider = 'p'\noutput_usd = 1.0\n", '[models[0]] input_usd: is not set for "new"'),
        (
            "[[models]]\nid = 'new'\nprovider = 'p'\ncached_input_usd = 1.0\n",
            '[models[0]] input_usd: is not set for "new"',
        ),
        ("[[models]]\nid = 'new'\nprovider = 'p'\ncache_write_1h_usd = 1.0\n", "[models[0]] input_usd: is not set"),
        ("[[models", "is not valid TOML"),
        ("models = " + "[" * 5000, "is nested too deeply"),
        ("[[models]]\nid = 'gpt-4o'\n" * 2, 'two models have this id; found "gpt-4o"'),
    ],
)
def test_a_file_that_is_wrong_says_what_and_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        SHIPPED.overlaid(own(tmp_path, text))
    assert message in str(refused.value)
    assert "models.toml" in str(refused.value)


def test_every_problem_of_every_row_is_told_with_its_row_its_key_and_what_was_found(tmp_path: Path) -> None:
    text = """
    dated = 2026-11-21
    [[models]]
    id = "gpt-4o"
    output_usd = "cheap"
    stauts = "retired"
    tiers = [{ above_tokens = 0, input_usd = 1.0 }]
    [[models]]
    input_usd = -1.0
    [[models]]
    id = "new"
    cached_input_usd = 1.0
    status = "dead"
    [[models]]
    id = "gpt-4o"
    note = 3
    """
    with pytest.raises(ConfigError) as refused:
        SHIPPED.overlaid(own(tmp_path, text))
    assert [str(problem).removeprefix(f"{tmp_path}/models.toml: ") for problem in refused.value.problems] == [
        "dated: unknown key; expected tables [[models]], each with an id",
        "[models[0]] stauts: unknown key for \"gpt-4o\"; did you mean 'status'?",
        '[models[0]] output_usd: not a valid value for "gpt-4o"; found "cheap"; expected a number >= 0 <= 1000000',
        '[models[0].tiers[0]] above_tokens: not a valid value for "gpt-4o"; found 0; expected an integer >= 1',
        '[models[0].tiers[0]] output_usd: missing for "gpt-4o"; expected a number >= 0 <= 1000000',
        "[models[1]] id: missing; expected a string of length >= 1 of length <= 128",
        "[models[1]] input_usd: not a valid value; found -1.0; expected a number >= 0 <= 1000000",
        '[models[2]] provider: missing for "new"; expected a string of length >= 1 of length <= 128',
        '[models[2]] status: not a valid value for "new"; found "dead"; '
        'expected "current" or "deprecated" or "retired" or "unknown"',
        '[models[2]] input_usd: is not set for "new" beside other prices: without it the model has none, and no budget '
        "counts its calls; expected a number",
        '[models[3]] id: two models have this id; found "gpt-4o"',
        '[models[3]] note: not a valid value for "gpt-4o"; found 3; expected a string',
    ]


def test_what_only_embeds_has_no_price_of_answers(tmp_path: Path) -> None:
    row = '[[models]]\nid = "embeds"\nprovider = "openai"\ncapabilities = ["embedding"]\ninput_usd = 0.02\n'
    price = Prices(SHIPPED.overlaid(own(tmp_path, row)), {"openai": OpenAIProvider}).of(Target("openai", "embeds"))
    assert price is not None
    assert price.at_most(1_000_000, 0) == 20_000_000


def test_every_shipped_price_is_whole_and_only_what_sees_counts_images() -> None:
    for model in SHIPPED.models():
        assert missing_rate(dump(model)) is None, model.id
        assert model.image_tokens is None or "vision" in model.capabilities, model.id
        assert (model.image_tokens or 0) <= MOST_IMAGE_TOKENS, model.id


def test_a_file_that_is_not_there_or_not_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        SHIPPED.overlaid(tmp_path / "none.toml")
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        SHIPPED.overlaid(path)


def test_an_own_row_may_say_every_rate_and_another_file_is_another_version(tmp_path: Path) -> None:
    rates = "cache_write_usd = 1.5\ncache_write_1h_usd = 2.5\nreasoning_usd = 9.0\nservice_factors = { flex = 0.5 }\n"
    tiers = "tiers = [{ above_tokens = 1000, input_usd = 2.0, output_usd = 3.0 }]\n"
    once = SHIPPED.overlaid(own(tmp_path, f'[[models]]\nid = "gpt-4o"\n{rates}{tiers}'))
    twice = once.overlaid(own(tmp_path, '[[models]]\nid = "gpt-4o"\ninput_usd = 1.0\n'))
    facts = twice.find("gpt-4o")
    assert facts is not None
    assert (facts.input_usd, facts.reasoning_usd, facts.tiers[0].input_usd) == (1.0, 9.0, 2.0)
    assert facts.cache_write_1h_usd == 2.5
    assert len({SHIPPED.version, once.version, twice.version}) == 3
