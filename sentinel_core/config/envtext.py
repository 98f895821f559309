"""Values of the environment: text whose meaning depends on the type that will be asked for."""

from __future__ import annotations

import tomllib
from typing import Any

from sentinel_core.json_types import TomlValue


class EnvText:
    """A variable's value, not a `str` and opaque in `repr`: it may turn out to be a secret."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "EnvText(...)"


def toml_value(text: str) -> TomlValue:
    """What `key = <text>` means in TOML. Raises `ValueError`."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if parsed.keys() != {"value"}:  # a line break in the text would smuggle in more keys
        raise ValueError("more than one value")
    return parsed["value"]


def readings(text: str, *, string: bool) -> list[TomlValue]:
    """What a variable's text can mean, the likeliest first. Secrets are strings, also those that look like numbers."""
    try:
        value = toml_value(text)
    except ValueError:
        return [text]
    return [text] if string and not isinstance(value, str) else [value, text]


def string(value: Any) -> str | None:  # a value of TOML, or EnvText
    """A value of the document where a string belongs; None where there is none, or another value."""
    value = readings(value.text, string=True)[0] if isinstance(value, EnvText) else value
    return value if isinstance(value, str) else None


def plain(value: Any) -> TomlValue:  # a value of TOML, or EnvText
    """A value of the document where nobody gives a type: the text of a variable as TOML, else as a string."""
    return readings(value.text, string=False)[0] if isinstance(value, EnvText) else value
