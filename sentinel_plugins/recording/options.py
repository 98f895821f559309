"""Options that commands of several plugins share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration file; by default $SENTINEL_CONFIG, or ./sentinel.toml."),
]
EnvFile = Annotated[
    Path | None, typer.Option("--env-file", help="A .env file. Variables of the environment are stronger.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
