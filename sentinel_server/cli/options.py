"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration file; by default $SENTINEL_CONFIG, or ./sentinel.toml."),
]
EnvFileOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--env-file", help="A .env file. Variables of the environment are stronger."),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def text(path: Path | None) -> str | None:
    """A path as it crosses process borders."""
    return str(path.absolute()) if path is not None else None
