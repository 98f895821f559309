"""JSON values as texts: equal texts are what record stores call equal values."""

from __future__ import annotations

from typing import Any

import msgspec

encode = msgspec.json.Encoder().encode
"""A value as stored: keys in their own order."""

_encode_sorted = msgspec.json.Encoder(order="deterministic").encode


def same(one: Any, other: Any) -> bool:  # JSON values or Structs of them
    """Equal as JSON, whatever the order of keys. For Python `True == 1 == 1.0`; here they differ."""
    return _encode_sorted(one) == _encode_sorted(other)
