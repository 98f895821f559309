"""Everything that guards look for is in the reference."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.encoded import LONGEST_TOKEN
from sentinel_plugins.guarding.entities import REGIONS
from sentinel_plugins.guarding.entity_names import SECRETS, STRUCTURED
from tests.promises.tree import page

PAGE = page("docs/reference/guards.md")


def test_every_entity_is_documented_and_no_other_one_is() -> None:
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", PAGE))
    assert named == {*STRUCTURED, *SECRETS}


def test_limits_and_regions_are_those_of_the_code() -> None:
    assert f"{LONGEST_TOKEN:,} characters" in PAGE
    assert f"{', '.join(REGIONS[:-1])} and {REGIONS[-1]}" in PAGE
