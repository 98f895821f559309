"""A weight that is no target's is refused at start: it would change nothing, and nobody would notice."""

from __future__ import annotations

import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable

PROVIDERS: TomlTable = {
    "local": {"kind": "echo", "models": ["llama", "qwen"]},
    "other": {"kind": "openai"},
    "another": {"kind": "openai"},
    "another_key": {"same_as": "another"},
    "off": {"kind": "openai", "enabled": False},
}
MODELS = [{"name": "m", "targets": [{"provider": "local", "model": "llama"}, {"provider": "other"}]}]


def drawn(name: str) -> Gateway:
    routing = {"strategy": "weighted", "weights": {name: 2}}
    return Gateway(settings_from({"providers": PROVIDERS, "models": MODELS, "stages": {"routing": routing}}))


@pytest.mark.parametrize(
    "name",
    ["local", "local/llama", "local/qwen", "other/m", "another_key", "another_key/any", "another/any", "off/any"],
)
def test_a_name_that_a_target_can_have_is_taken(name: str) -> None:
    assert drawn(name).chain.rows()


@pytest.mark.parametrize("name", ["locl", "m", "local/m", "other/llama", "local/", "/llama", "nobody/m"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError) as refused:
        drawn(name)
    (problem,) = refused.value.problems
    assert (problem.table, problem.key, problem.found) == ("stages.routing", "weights", f'"{name}"')
    assert problem.suggestion == ("did you mean 'local'?" if name == "locl" else problem.suggestion)
