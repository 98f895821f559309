"""What echo makes of an embedding request: unit vectors drawn from a hash of each text.

The same text always has the same vector, two texts have nearly orthogonal ones, and nothing is meant by either: these
are numbers to test with. `model` says "echo". Without `dimensions` there are 256.
"""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from collections.abc import Sequence

from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_plugins.providers.echo.bodies import ECHO
from sentinel_plugins.providers.echo.legacy import prompts
from sentinel_plugins.providers.echo.script import tokens_of

DIMENSIONS = 256
MAX_NUMBERS = 1_000_000
"""Of one answer: a short body must not cost gigabytes."""


def embeddings(body: JsonMapping) -> JsonObject:
    """The answer: one vector for each input, as numbers or as little-endian float32 in base64.

    Raises `Refusal` (request_too_large).
    """
    texts = prompts(body["input"])
    size = body.get("dimensions") or DIMENSIONS
    if len(texts) * size > MAX_NUMBERS:
        raise Refusal("request_too_large", f"Echo gives at most {MAX_NUMBERS} numbers at once.", param="dimensions")
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
        for index, vector in enumerate(unit_vector(text, size) for text in texts)
    ]
    tokens = sum(len(tokens_of(text)) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": ECHO, "usage": usage}


def unit_vector(text: str, size: int) -> list[float]:
    """`size` numbers of length 1 that follow from the text alone."""
    drawn = struct.unpack(f"<{size}i", hashlib.shake_256(text.encode()).digest(4 * size))
    length = math.sqrt(math.fsum(number * number for number in drawn)) or 1.0
    return [number / length for number in drawn]


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
