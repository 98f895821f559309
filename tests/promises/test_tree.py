"""What every file keeps: nothing unfinished, nothing of one machine, nothing longer than one can read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.long_form import long_form
from tests.promises.tree import PACKAGES, ROOT, files, parsed, statements

TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".sh", ".html", ".css", ".js", ".example", ""}
# Spelt in two parts, so that this file keeps its own promise.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
ONE_MACHINE = re.compile(r"(?<![\w.])/(work|tmp/venv|home/\w+|Users/\w+|root|opt/(?:wheels|pypi))\b")
MAX_LINES = 320
MAX_FUNCTION_LINES = 60


def text_files() -> list[Path]:
    return [path for path in files() if path.suffix in TEXT and path.name != "LICENSE"]


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def found(pattern: re.Pattern[str]) -> list[str]:
    hits = []
    for path in text_files():
        for number, line in enumerate(lines_of(path), 1):
            if pattern.search(line):
                hits.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    return hits


def test_s4_60_no_file_is_left_unfinished() -> None:
    assert found(UNFINISHED) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert found(ONE_MACHINE) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_longer_than_one_can_read_standing(package: str) -> None:
    lengths = {str(path.relative_to(ROOT)): len(lines_of(path)) for path in sorted((ROOT / package).rglob("*.py"))}
    assert {name: count for name, count in lengths.items() if count > MAX_LINES} == {}


@long_form
@pytest.mark.parametrize("package", PACKAGES)
def test_no_function_is_longer_than_a_glance(package: str) -> None:
    long = []
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in statements(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}:{node.name}: {lines} lines")
    assert long == []


@long_form
@pytest.mark.parametrize("package", PACKAGES)
def test_no_pattern_of_a_type_takes_a_line_break_at_its_end(package: str) -> None:
    open_ = []  # `$` matches before one as well
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(parsed(path)) if "pattern=" in path.read_text(encoding="utf-8") else ():
            if (
                isinstance(node, ast.keyword)
                and node.arg == "pattern"
                and ast.unparse(node.value).endswith(("$'", '$"'))
            ):
                open_.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert open_ == []


@long_form
@pytest.mark.parametrize("package", PACKAGES)
def test_no_exception_is_swallowed(package: str) -> None:
    silent = []
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in statements(path):
            if isinstance(node, ast.ExceptHandler) and _catches_everything(node) and _does_nothing(node):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert silent == []


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type) in {"Exception", "BaseException"}


def _does_nothing(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(node, ast.Pass | ast.Continue) for node in handler.body)
