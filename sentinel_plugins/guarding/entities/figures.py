"""Rows and columns of figures, versions and sizes, of which some have the form of what people are given."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.entities.ip_address import VERSION
from sentinel_plugins.guarding.entities.label import Label

_PRODUCT = Label(
    "chrom(?:e|ium)|edge|firefox|safari|opera|electron|webview|android|ios|windows|kernel|nvidia|cuda|java|jdk",
    left=32,
    adjacent=True,
)
_ATTACHED = re.compile(r"(?:[A-Za-z0-9][-/@]|[=<>~!]=)\Z")
"""`tool-1.2.3`, `Chrome/1.2.3`, `tool@1.2.3`, `tool==1.2.3`."""
_FIGURES = re.compile("[0-9]+")
_MOST = 6
_MORE = re.compile(rf"[0-9]{{1,{_MOST}}}(?![A-Za-z0-9%])")
BESIDE = f"[0-9]{{0,{_MOST}}}"
"""One more figure, as far as it is read, for RE2; without the sign before it."""


def in_a_row(text: str, start: int, end: int, sign: str) -> bool:
    """Whether one more figure stands beside these, with the same sign between."""
    before = start > 1 and text[start - 1] == sign and text[start - 2].isdigit()
    return before or (text.startswith(sign, end) and _MORE.match(text, end + 1) is not None)


def decimals(text: str, start: int) -> bool:
    """Whether undivided digits stand behind a decimal point. Behind a comma they are more often a column of a table."""
    return start > 1 and text[start - 1] == "." and text[start - 2].isdigit() and text[start : start + 8].isdigit()


def sizes(value: str, *by: int) -> bool:
    """Whether all figures are multiples of one of these: `640 480 320`, `128 64 1024`."""
    figures = [int(figure) for figure in _FIGURES.findall(value)]
    return any(not any(figure % each for figure in figures) for each in by)


def version(text: str, start: int) -> bool:
    """Whether words or signs before figures with dots say that they are one."""
    attached = _ATTACHED.search(text, max(0, start - 2), start) is not None
    return attached or VERSION.before(text, start) or _PRODUCT.before(text, start)
