"""Names of what stores keep: each says whose it is, and nothing else is taken for somebody's."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.state_key import LONGEST, state_key, tenant_part

NAMES = st.text(st.sampled_from("{}:0123456789ab"), max_size=12)
TEXTS = st.text(st.sampled_from("{}:0123ab"), max_size=40)


def oracle(key: str) -> str:
    """A brace, a length, a colon, so many characters and a brace; nothing else."""
    length = re.match(r"\{([0-9]{1,9}):", key)
    part = key[: length.end() + int(length[1]) + 1] if length is not None else ""
    return part if length is not None and part[length.end() + int(length[1]) :] == "}" else ""


@given(NAMES, st.lists(NAMES, max_size=4))
def test_a_name_begins_with_its_tenants_part(tenant: str, parts: list[str]) -> None:
    name = state_key(tenant, *parts)
    assert tenant_part(name) == state_key(tenant) == oracle(name)
    assert name.startswith(state_key(tenant))


def test_a_long_part_makes_a_short_name_that_is_nobody_elses() -> None:
    long = "u" * (LONGEST + 1)
    name = state_key("acme", "limit", long, "requests")
    assert name.startswith(f"{{4:acme}}:5:limit:{len(long)}#")
    assert name.endswith(":8:requests")
    others = ["u" * LONGEST, "u" * (LONGEST + 2), "v" + long[1:], name.split(":")[4].partition("#")[2], "\ud800" * 99]
    assert len({state_key("acme", "limit", part, "requests") for part in (long, *others)}) == 6
    assert len(state_key("acme", "u" * 1_000_000).encode()) < 100
    assert state_key("acme", long[:-1]) == f"{{4:acme}}:{LONGEST}:{long[:-1]}"


@given(TEXTS)
def test_a_text_is_somebodys_only_if_it_says_so_in_full(text: str) -> None:
    assert tenant_part(text) == oracle(text)


@given(NAMES, NAMES, TEXTS)
def test_two_tenants_share_no_beginning(one: str, other: str, rest: str) -> None:
    if one != other:
        assert not state_key(one, rest).startswith(state_key(other))
