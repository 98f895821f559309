"""The words for an extra that is missing."""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """Where the packages of an extra come from: Sentinel's own folder. An index has another program by its name."""
    return f"the extra {extra!r} is missing: pip install '.[{extra}]' in the folder of Sentinel"
