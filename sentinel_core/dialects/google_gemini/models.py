"""What Google's models take that differs by model, told by the model's name.

Source: https://ai.google.dev/gemini-api/docs/thinking, .../thought-signatures and .../function-calling, and answers of
the API ("Penalty is not enabled for models/gemini-2.5-pro", "Thinking level MINIMAL is not supported for this model",
"Function calling with a response mime type: 'application/json' is unsupported").
A Gemini that is newer than this table, or that names no version, is treated as the newest; a name that is not
Gemini's is left alone.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?!\d)")
_FIRST = re.compile(r"gemini-(?:ultra|pro$|pro-vision)")
_SPECIAL = re.compile(r"image|tts|live|embedding")
"""Kinds of the second generation that do not think."""


class Abilities(NamedTuple):
    """What one model takes. `thinking` is told as a number of tokens or as a level; `least` and `most` are the bounds
    of either."""

    thinking: Literal["none", "budget", "level"] = "none"
    least: int = 0
    most: int = 24_576
    lowest: Literal["MINIMAL", "LOW"] = "MINIMAL"
    penalties: bool = True
    signatures: bool = False
    """Calls of the current turn must be signed."""
    media_results: bool = False
    """A tool's result may hold images; otherwise they stand beside it."""
    json_with_tools: bool = True
    """An answer may have to be JSON where tools can be called."""


def abilities(model: str) -> Abilities:
    """What this model takes."""
    name = model.lower().rpartition("/")[2]
    if "gemini" not in name or _FIRST.search(name):
        return Abilities()
    found = _VERSION.search(name)
    version = (int(found[1]), int(found[2] or 0)) if found else None
    if version is not None and version < (3, 0):
        return _second(name, version)
    # From 3.7 on, Flash has no lower level than Pro has; Flash-Lite has.
    low = "pro" in name or ("lite" not in name and (version is None or version >= (3, 7)))
    return Abilities("level", lowest="LOW" if low else "MINIMAL", signatures=True, media_results=True)


def _second(name: str, version: tuple[int, int]) -> Abilities:
    if version < (2, 5):
        return Abilities(json_with_tools=False)
    if _SPECIAL.search(name):
        return Abilities(penalties=False, json_with_tools=False)
    pro = "pro" in name
    least, most = (128, 32_768) if pro else (0, 24_576)
    return Abilities("budget", least=least, most=most, penalties=False, json_with_tools=False)
