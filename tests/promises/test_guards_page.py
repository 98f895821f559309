"""Everything that guards look for is in the reference."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.encoded import LONGEST_TOKEN
from sentinel_plugins.guarding.entities import REGIONS
from sentinel_plugins.guarding.entity_names import SECRETS, STRUCTURED
from sentinel_plugins.guarding.presidio.model import OFFICIAL
from sentinel_plugins.pii.names.config import NerConfig
from sentinel_plugins.pii.names.segments import LONGEST
from tests.promises.tree import ROOT, page

PAGE = page("docs/reference/guards.md")


def test_every_entity_is_documented_and_no_other_one_is() -> None:
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", PAGE))
    assert named == {*STRUCTURED, *SECRETS}


def test_limits_and_regions_are_those_of_the_code() -> None:
    assert f"{LONGEST_TOKEN:,} characters" in PAGE
    assert f"{', '.join(REGIONS[:-1])} and {REGIONS[-1]}" in PAGE


def test_the_model_that_is_named_is_pinned_and_known() -> None:
    how_to, model = page("docs/how-to/names-and-places.md"), NerConfig().model
    assert f"`{model}`" in how_to
    assert f"at the latest after {LONGEST} characters" in how_to
    assert f'"{model.replace("_", "-")}==3.8.0"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert set(OFFICIAL) == {model}
