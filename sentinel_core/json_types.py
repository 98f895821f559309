"""What JSON and TOML are once decoded. The shape is its author's: whoever reads a part looks first at what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

JsonValue: TypeAlias = Any  # a union that names itself would make every reader narrow each level anew
"""`None`, a bool, a number, a text, a list of values or a `JsonObject`."""
JsonObject: TypeAlias = dict[str, Any]  # values as above
"""An object that whoever holds it may change."""
JsonMapping: TypeAlias = Mapping[str, Any]  # values as above
"""An object that is only read."""
TomlValue: TypeAlias = Any  # as `JsonValue`
"""A bool, a number, a text, a date or time, a list of values or a `TomlTable`; of code also a `Secret`."""
TomlTable: TypeAlias = dict[str, Any]  # values of TOML, and Secrets
"""A table of the configuration, as its file or code would say it."""
