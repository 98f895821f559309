"""How many examples properties take: those that are promised by number (P1 to P12), and all others."""

from __future__ import annotations

import os
from typing import NamedTuple

from hypothesis import settings


class Examples(NamedTuple):
    """How many a profile gives to each property."""

    promised: int
    others: int


PROFILES = {"default": Examples(15, 12), "ci": Examples(1_000, 100), "soak": Examples(100_000, 100_000)}
NAME = os.environ.get("HYPOTHESIS_PROFILE", "default")
CI = bool(os.environ.get("CI"))
"""There a change is judged by the same examples each time: what is found by chance is found by `nox -s soak`, and at
every developer's desk."""

for _name, _examples in PROFILES.items():
    settings.register_profile(_name, max_examples=_examples.others, deadline=None, derandomize=CI and _name != "soak")
settings.load_profile(NAME)


def promised(*, among: int = 1, steps: int = 50) -> settings:
    """For a property with a number: a thousand examples in CI. Where it is tried in several ways, it is `among` them
    that they are divided, at least five for each; a state machine takes so many steps."""
    return settings(max_examples=max(5, PROFILES[NAME].promised // among), stateful_step_count=steps)
