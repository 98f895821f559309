"""`sentinel version`."""

from __future__ import annotations

NAME = "version"


def command() -> None:
    """Print the version of Sentinel and of Python."""
    import platform
    from importlib.metadata import version

    print(f"sentinel-gateway {version('sentinel-gateway')} (Python {platform.python_version()})")
