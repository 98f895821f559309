"""`sentinel new-plugin`: a third-party package to begin with."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from shlex import quote
from string import Template
from typing import Annotated

import typer

from sentinel_server.distribution import package_version

NAME = "new-plugin"
SUFFIX = ".tmpl"
MODULE = "module"


def command(
    name: Annotated[str, typer.Argument(help="What configurations will call it: lower case, digits and _.")],
    directory: Annotated[Path, typer.Option("--in", help="Where to put the new directory.")] = Path(),
) -> None:
    """Write a complete package: one guard on requests and answers, streams included, its configuration, its tests."""
    from sentinel_core.config import names

    typed, name = name, name.replace("-", "_")
    if not names.NAME.fullmatch(name) or name.endswith("_"):
        raise typer.BadParameter(f"{typed!r} is not a name: {names.NAME_RULE}, which is not the last")
    files = dict(package(name))
    if (why := _taken(name) or _colliding(files)) is not None:
        raise typer.BadParameter(f"{typed!r} {why}")
    target = directory / name.replace("_", "-")
    try:
        target.mkdir(parents=True)
        for path, text in files.items():
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except FileExistsError:
        raise typer.BadParameter(f"{target} exists already, or its folder is none") from None
    except OSError as error:
        raise typer.BadParameter(f"{target} cannot be written: {error.strerror}") from None
    print(f"Wrote {target}. Next: pip install -e {quote(f'{target}[test]')} && pytest {quote(str(target))}")


def _taken(name: str) -> str | None:
    """Why nothing could be called that; None where the name is free."""
    from sentinel_core.registry import installed

    if iskeyword(name) or iskeyword(_class_name(name)) or name in sys.stdlib_module_names:
        return "is Python's own"
    if name == "conftest" or name.startswith("test"):  # which takes a class `Test…` for tests
        return "is a name that pytest gives a meaning"
    if any(plugin.name == name for plugin in installed()):
        return "is a plugin that is installed already"
    if find_spec(name) is not None:
        return "is a module that can be imported already"
    return "is a distribution that is installed already" if any(Distribution.discover(name=name)) else None


def _colliding(files: Mapping[Path, str]) -> str | None:
    """Why the package's code could not have that name: its classes would be called like others of the same module."""
    for path, text in files.items():
        if path.suffix == ".py":
            nodes = list(ast.walk(ast.parse(text)))
            imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
            classes = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
            for both in sorted(imported & classes):
                return f"would make a class {both}, which its package needs from elsewhere"
    return None


def package(name: str) -> Iterator[tuple[Path, str]]:
    """The files of a new package, by their path in it."""
    class_name = _class_name(name)
    words = {
        "name": name,
        "distribution": name.replace("_", "-"),
        "class_name": class_name,
        "config_name": f"{class_name}Config",
        "version": package_version(),
    }
    for path, template in _templates(files("sentinel_server.cli") / "templates" / "plugin", Path()):
        parts = [name if part == MODULE else part for part in path.parts]
        yield Path(*parts), Template(template.read_text(encoding="utf-8")).substitute(words)


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _templates(folder: Traversable, path: Path) -> Iterator[tuple[Path, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            yield from _templates(item, path / item.name)
        elif item.name.endswith(SUFFIX):
            yield path / item.name.removesuffix(SUFFIX), item
