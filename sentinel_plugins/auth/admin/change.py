"""What a change leaves out stays as it was."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET


def named(change: msgspec.Struct) -> dict[str, Any]:  # fields of any type
    """The fields that a change names."""
    return {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
