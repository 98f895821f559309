"""`sentinel version`, which is `sentinel --version` as well."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

NAME = "version"


def command() -> None:
    """Print the version of Sentinel and of Python."""
    import platform

    from sentinel_server.distribution import DISTRIBUTION, package_version

    print(f"{DISTRIBUTION} {package_version()} (Python {platform.python_version()})")


def _asked(value: bool) -> None:
    if value:
        command()
        raise typer.Exit


VersionOption: TypeAlias = Annotated[
    bool, typer.Option("--version", callback=_asked, is_eager=True, help="Print the versions and exit.")
]
