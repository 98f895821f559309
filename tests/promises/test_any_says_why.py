"""A type that is checked nowhere has a reason where it stands."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tokenize import COMMENT, NAME, NEWLINE, TokenInfo

from tests.long_form import long_form
from tests.promises.tree import PACKAGES, ROOT, modules


def statements(path: Path) -> Iterator[list[TokenInfo]]:
    """Each with the comments beside and before it."""
    statement: list[TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        statement.append(token)
        if token.type == NEWLINE:
            yield statement
            statement = []


def without_reason(path: Path) -> Iterator[str]:
    for statement in statements(path):
        names = [token.string for token in statement if token.type == NAME]
        unchecked = "Any" in names and names[0] not in ("from", "import")
        if unchecked and not any(token.type == COMMENT for token in statement):
            yield f"{path.relative_to(ROOT)}:{statement[-1].start[0]}: {statement[-1].line.strip()}"


@long_form
def test_any_has_a_reason_on_its_line() -> None:
    ours = chain.from_iterable(modules(folder) for folder in (*PACKAGES, "tests", "benchmarks", "examples"))
    written = [path for path in ours if "Any" in path.read_text(encoding="utf-8")]
    assert written
    assert [line for path in written for line in without_reason(path)] == []
