"""What is wrong with something that a plugin brought, in words that name the plugin."""

from __future__ import annotations

from sentinel_core.errors import ConfigProblem


def complaint(plugin: str, message: str, found: object, **words: str) -> ConfigProblem:
    """A problem with what was found. Of most values only the type is shown: they may hold anything."""
    shown = found.__name__ if isinstance(found, type) else repr(found) if isinstance(found, str | None) else type(found)
    return ConfigProblem(message, where=f"plugin {plugin}", found=str(shown), **words)


def taken(what: str, first: str, second: str) -> ConfigProblem:
    """Two plugins bring the same."""
    return ConfigProblem(f"two plugins bring the {what}: {first} and {second}", expected="one of them")
