"""The repository as the promises see it: tracked files, packages, and the samples in the documentation."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("sentinel_core", "sentinel_plugins", "sentinel_server")
FENCE = re.compile(r"(?:<!-- (?P<mark>[^>]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```", re.S | re.M)
ARTEFACTS = {"build", "dist", "htmlcov", "node_modules", "__pycache__"}


@dataclass(frozen=True)
class Sample:
    """One fenced block of a page, with the HTML comment above it, if there is one."""

    page: str
    line: int
    language: str
    mark: str
    text: str

    @property
    def id(self) -> str:
        """Where it stands, for the test's name."""
        return f"{self.page}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether it is a whole program, to be run against a gateway."""
        return self.mark == "run" or bool(self.needs)

    @property
    def needs(self) -> str:
        """The package without which it cannot run, of `<!-- run if: PACKAGE -->`."""
        return self.mark.partition("run if: ")[2]


@cache
def files() -> tuple[Path, ...]:
    """Every file that git tracks or would add; without git, every file that is not an artefact. As they are at the
    first look: without git, that takes a third of a second."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not any(map(_is_artefact, path.relative_to(ROOT).parts))]
    return tuple(path for path in paths if path.is_file())


def _is_artefact(part: str) -> bool:
    return part in ARTEFACTS or (part.startswith(".") and part not in {".ci", ".github"} and "." not in part[1:])


def modules(folder: str) -> list[Path]:
    """Every Python file of ours below a folder; packages that were installed there are not."""
    return [path for path in files() if path.suffix == ".py" and ROOT / folder in path.parents]


def pages() -> list[Path]:
    """README, the documentation, and the pages of the examples."""
    return [path for path in files() if path.suffix == ".md" and path.name != "CHANGELOG.md"]


def page(name: str) -> str:
    """The text of one page of the documentation, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def samples(language: str) -> tuple[Sample, ...]:
    """Every fenced block of that language, in every page."""
    found = []
    for path in pages():
        text = path.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match["language"] == language:
                line = text.count("\n", 0, match.start()) + 1
                name = path.relative_to(ROOT).as_posix()
                found.append(Sample(name, line, language, match["mark"] or "", match["text"]))
    return tuple(found)


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Absolute names of everything that a module imports, inside functions and type-checking blocks too."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in statements(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def statements(path: Path) -> Iterator[ast.AST]:
    """Every statement of a module and every handler of exceptions, however deep; nothing inside expressions."""
    waiting: list[ast.AST] = [parsed(path)]
    while waiting:
        node = waiting.pop()
        yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, field, ())


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax of one module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def top_levels(path: Path) -> set[str]:
    """The packages that a module imports from."""
    return {name.partition(".")[0] for name in imports(path)}
