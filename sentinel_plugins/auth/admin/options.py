"""The options that commands for keys and tenants share, and what they say as shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from sentinel_core.config.expectation import describe
from sentinel_core.limits import Limits

T = TypeVar("T")

_FIELD = re.compile(r" - at `\$\.(\w+)(\[[^\]]*\])?`\Z")

Models = Annotated[list[str] | None, typer.Option("--model", help="A model that is allowed; repeat it. `*` is any.")]
Routes = Annotated[list[str] | None, typer.Option("--route", help="A path that is allowed; repeat it.")]
LimitOptions = Annotated[
    list[str] | None, typer.Option("--limit", help="A limit, such as requests_per_minute=60; repeat it.")
]


def limits(options: list[str] | None) -> dict[str, float | None]:
    """`name=value` as a table. Raises a usage error."""
    return dict(map(_limit, options or ()))


def _limit(option: str) -> tuple[str, float | None]:
    name, _, value = option.partition("=")
    known = {field.name: field.type for field in msgspec.structs.fields(Limits) if field.name != "windows"}
    if name not in known:
        raise typer.BadParameter(f"{name!r} is not a limit; one of: {', '.join(sorted(known))}")
    try:
        return name, msgspec.convert(value, known[name], strict=False)
    except msgspec.ValidationError:
        raise typer.BadParameter(f"{option}: write {name}=NUMBER, {describe(known[name])}") from None


def read(fields: Mapping[str, object], kind: type[T]) -> T:
    """The options as the route's own shape. Raises a usage error."""
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(_expected(str(error), kind)) from None


def _expected(error: str, kind: type[Any]) -> str:  # any of the shapes
    """What the field that is not valid takes, in the words of the configuration's reference."""
    found = _FIELD.search(error)
    types = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    return f"{found[1]}: expected {describe(types[found[1]])}" if found is not None else error
