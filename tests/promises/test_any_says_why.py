"""A type that is checked nowhere has a reason where it stands."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tokenize import COMMENT, NAME, NEWLINE, STRING, TokenInfo

from tests.long_form import long_form
from tests.promises.tree import PACKAGES, ROOT, modules

WORD = "Any"  # what is looked for
UNCHECKED = {(NAME, WORD), (STRING, f'"{WORD}"')}


def statements(source: str) -> Iterator[list[TokenInfo]]:
    """Each with the comments beside and before it."""
    statement: list[TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        statement.append(token)
        if token.type == NEWLINE:
            yield statement
            statement = []


def lines_without_reason(source: str) -> list[int]:
    """A comment on another line of the statement is no reason: it may be another type's."""
    found = set[int]()
    for statement in statements(source):
        first = next((token.string for token in statement if token.type == NAME), "")
        if first not in ("from", "import"):
            found |= {token.start[0] for token in statement if (token.type, token.string) in UNCHECKED}
            found -= {token.start[0] for token in statement if token.type == COMMENT}
    return sorted(found)


def without_reason(path: Path) -> Iterator[str]:
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for number in lines_without_reason(source):
        yield f"{path.relative_to(ROOT)}:{number}: {lines[number - 1].strip()}"


@long_form
def test_any_has_a_reason_on_its_line() -> None:
    ours = chain.from_iterable(modules(folder) for folder in (*PACKAGES, "tests", "benchmarks", "examples"))
    written = [path for path in ours if WORD in path.read_text(encoding="utf-8")]
    assert written
    assert [line for path in written for line in without_reason(path)] == []


def test_a_reason_on_another_line_of_the_statement_is_none() -> None:
    source = """\
from typing import Any, cast
def f(
    one: Any,
    two: Any,  # a reason
) -> None:  # another
    cast("Any", 1).x = "Any other"
    cast("Any", 1).x = 2  # a reason
"""
    assert lines_without_reason(source) == [3, 6]
