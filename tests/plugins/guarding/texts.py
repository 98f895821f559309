"""Texts in which values, beginnings of values and what only looks like them stand side by side."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import strategies as st

from tests.plugins.guarding.samples import HARMLESS, LABELLED, PERSONAL, SECRETS

_LABELS = [label for pairs in LABELLED.values() for label, _ in pairs]
_VALUES = [
    *(value for values in (*PERSONAL.values(), *SECRETS.values()) for value in values),
    *(value for pairs in LABELLED.values() for _, value in pairs),
]
_BETWEEN = [
    " ",
    "",
    ".",
    "-",
    "/",
    ":",
    ",",
    "\n",
    "\\n",
    "\\",
    "\\u003c",
    "%3C",
    "(",
    ")",
    "@",
    "_",
    '"',
    "+",
    "x",
    "1",
    "é",
    "号",
    "\u200d",
    "🙂",
    " may ",
    "==",
    ".tar",
    "-cp3",
    "MA ",
    " ext. 12",
    ":A",
    " euros",
    "\u00a0€",
    " 12",
    ".bak",
    ":12",
    "version ",
    "e-0",
    "e+",
    "1.",
    "06156156",
    " + ",
    "ip6:",
    "call ",
    "text",
]

_part = st.sampled_from(_VALUES).flatmap(
    lambda value: st.tuples(st.integers(0, len(value)), st.integers(0, len(value))).map(
        lambda cut: value[min(cut) : max(cut)]
    )
)
texts = st.lists(
    st.one_of(
        st.sampled_from(_VALUES),
        st.sampled_from(_LABELS),
        st.sampled_from(_BETWEEN),
        st.sampled_from(HARMLESS),
        _part,
        st.text("0123456789 -./@:abcXZ", max_size=8),
        st.text(max_size=3),
    ),
    max_size=9,
).map("".join)
"""Mostly of less than 300 characters."""

_WIDE = dict(zip("- ./:()+=", "\uff0d\u3000\u3002\uff0f\uff1a\uff08\uff09\uff0b\uff1d", strict=True))
_FAR = "and so on " * 30
"""More than a stream remembers."""


def _wide(text: str, signs: Collection[str] = _WIDE) -> str:
    return "".join(_WIDE[letter] if letter in signs else letter for letter in text)


wide_texts = st.lists(
    st.one_of(
        st.builds(_wide, st.sampled_from(_VALUES), st.sets(st.sampled_from([*_WIDE]))),
        st.sampled_from([*_WIDE.values(), "\uff21bc ", "\u00e9", "\u4e2d", " ", _FAR]),
        st.sampled_from(_LABELS).map(_wide),
        texts,
    ),
    min_size=1,
    max_size=5,
).map("".join)
"""Signs as Chinese and Japanese write them, in values and beside them, and disguises far away from these."""
