"""A property that reliability's table promises by number takes as many examples as the table asks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.long_form import long_form
from tests.promises.tree import ROOT
from tests.properties import PROFILES

NUMBERED = re.compile(r"(^|_)p\d+_")


def properties(tree: ast.AST, within: str = "") -> Iterator[tuple[str, str]]:
    """The name of every test that draws examples, be it in a function of its own, with its decorators as source."""
    for node in ast.iter_child_nodes(tree):
        name = within
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = within or node.name
            decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
            if any(decorator.startswith("given(") for decorator in decorators):
                yield name, "\n".join(decorators)
        yield from properties(node, name)


def numbered() -> Iterator[tuple[str, str]]:
    """The same of those with a number, under the name of their file."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "@given" in text and NUMBERED.search(text):
            for name, decorators in properties(ast.parse(text)):
                if NUMBERED.search(name):
                    yield f"{path.relative_to(ROOT)}: {name}", decorators


@long_form
def test_properties_with_a_number_take_what_is_promised() -> None:
    found = [*numbered()]
    assert [name for name, decorators in found if "promised(" not in decorators] == []
    assert len(found) > 90


def test_in_ci_that_is_a_thousand_and_in_the_soak_a_hundred_thousand() -> None:
    assert (PROFILES["ci"].promised, PROFILES["soak"].promised, PROFILES["soak"].others) == (1_000, 100_000, 100_000)
