"""Whether a body's known fields have the types that its reader relies on."""

from __future__ import annotations

import re

import msgspec

from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping

_PLACE = re.compile(r" - at `\$\.?(.*)`$")


def shaped(body: JsonMapping, shape: type[msgspec.Struct]) -> JsonMapping:
    """The body itself; unknown fields pass. Raises `Refusal` (invalid_parameter) that names the place."""
    try:
        msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        text = str(error)
        place = _PLACE.search(text)
        param = place[1] if place is not None and place[1] else "messages"
        wanted = _PLACE.sub("", text).replace("`", "'")
        raise Refusal("invalid_parameter", f"The parameter {param!r} is not valid: {wanted}.", param=param) from None
    return body
