"""Reads signatures and docstrings out of source files, exactly as they are written there."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Attribute:
    """One annotated name of a class: its type, its default, and the string below it."""

    name: str
    type: str
    default: str
    doc: str


@dataclass(frozen=True)
class Function:
    """One function: its signature as written, without `self`, and its docstring."""

    name: str
    signature: str
    doc: str


def class_source(module: ModuleType, name: str) -> ast.ClassDef:
    """The syntax tree of one class of a module."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    raise LookupError(f"{module.__name__} has no class {name}")


def functions(node: ast.ClassDef) -> list[Function]:
    """The public functions of a class, in their order."""
    found = []
    for item in node.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and not item.name.startswith("_"):
            found.append(Function(item.name, signature(item), ast.get_docstring(item) or ""))
    return found


def signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """`def name(...) -> ...` on one line, without `self` or `cls`."""
    arguments = ", ".join(part for part in ast.unparse(node.args).split(", ") if part not in {"self", "cls"})
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{word} {node.name}({arguments}){returns}"


def attributes(node: ast.ClassDef) -> list[Attribute]:
    """The annotated names of a class, with the string that follows each."""
    found = []
    for item, following in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
            continue
        doc = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            doc = str(following.value.value)
        default = ast.unparse(item.value) if item.value is not None else ""
        found.append(Attribute(item.target.id, ast.unparse(item.annotation), default, doc))
    return found
