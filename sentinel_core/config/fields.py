"""The fields of a table's Struct."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec
from msgspec.structs import FieldInfo


@cache
def fields_of(struct: type[msgspec.Struct]) -> Mapping[str, FieldInfo]:
    """By their names in TOML, in order. Worked out once per type: its annotations are resolved for that."""
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}
