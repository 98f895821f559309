"""Characters that nobody sees and models read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from sentinel_plugins.guarding.origins import Making, Origins

UNSEEN = (
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""For RE2 as well. What of them stays in a text, the characters beside them decide: see `cleaned`."""
_RUN = re.compile(f"{UNSEEN}+")
_JOINED = re.compile("[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua840-\ua87f\ufb50-\ufdff\ufe70-\ufefc]")
"""Scripts whose letters join: Arabic, Syriac, the Indic ones, Tibetan, Myanmar, Khmer, Mongolian."""
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Scripts that mark places for a line break with a zero-width space: Thai, Lao, Myanmar, Khmer."""
_FLAGS = {"".join(chr(0xE0000 + ord(letter)) for letter in name) + "\U000e007f" for name in ("gbeng", "gbsct", "gbwls")}
"""England, Scotland, Wales: the only tags that Unicode recommends for interchange (UTS 51), after a black flag."""
_BLACK_FLAG = "\U0001f3f4"
CARRIERS = "[\ufe00-\ufe0f\U000e0020-\U000e007e\U000e0100-\U000e01ef]"
"""Tags and variation selectors, which can carry a byte each."""
_CARRIER = re.compile(CARRIERS)
SMUGGLED = f"{CARRIERS}{{4}}"
"""Of so many together, what they say is read."""
_SMUGGLED = re.compile(f"{SMUGGLED}{CARRIERS}*")
_JOINERS = "\u200c\u200d"
_ALSO_PICTURES = frozenset("0123456789#*\u203c\u2049\u2139\u3030\u303d")
"""Digits, letters and punctuation that Unicode also gives the form of a picture, by a selector behind them:
https://www.unicode.org/Public/UCD/latest/ucd/emoji/emoji-variation-sequences.txt"""


def cleaned(text: str) -> str:
    """The text without what nobody sees: tags, bidi controls, variation selectors and zero-width characters, but for
    those that change what is seen: joiners in emoji and between letters that join, one selector of a picture's form,
    direction marks beside letters that run to the left. Cleaned again, it is the same."""
    if text.isascii():
        return text
    return _RUN.sub(_kept, text)


def unseen_in(text: str) -> Iterator[tuple[int, int, str]]:
    """The runs of characters that nobody sees and `cleaned` takes out: where each begins and ends, and what stays."""
    for run in _RUN.finditer(text):
        if (kept := _kept(run)) != run.group():
            yield run.start(), run.end(), kept


def without_unseen(text: str) -> tuple[str, Origins]:
    """The text as `cleaned` gives it, and the way back."""
    making, at = Making(), 0
    for run in _RUN.finditer(text):
        making.add(text[at : run.start()], run.start())
        making.add(_kept(run), run.end())
        at = run.end()
    making.add(text[at:], len(text))
    return making.done()


def _kept(run: re.Match[str]) -> str:
    before = run.string[run.start() - 1 : run.start()] if run.start() else ""
    after = run.string[run.end() : run.end() + 1]
    if before == _BLACK_FLAG and run.group() in _FLAGS:
        return run.group()
    kept = ""
    for character in run.group():
        if not (kept and _stage(character) <= _stage(kept[-1])) and _seen(character, before, after):
            kept += character
    return kept


def _stage(character: str) -> int:
    """Selectors stand before joiners, one of each: what is kept of a run is kept again."""
    return 0 if unicodedata.category(character) == "Mn" else 1


def _seen(character: str, before: str, after: str) -> bool:
    """Whether it changes what is seen between these two."""
    if character in "\ufe0e\ufe0f":
        return _pictured(before) or before in _ALSO_PICTURES
    if character == "\u200d" and _pictured(before) and _pictured(after):
        return True
    if character in _JOINERS:
        return bool(_JOINED.match(before) and (_JOINED.match(after) or character == "\u200d"))
    if character == "\u200b":
        return bool(_UNSPACED.match(before) and _UNSPACED.match(after))
    if character in "\u200e\u200f\u061c":
        return _leftward(before) or _leftward(after)
    return 0xE0100 <= ord(character) <= 0xE01EF and unicodedata.name(before or " ", "").startswith("CJK UNIFIED")


def _pictured(character: str) -> bool:
    """An emoji or another picture, or the tone of its skin; of what Unicode keeps free for emoji, all."""
    if "\U0001f000" <= character <= "\U0001faff":
        return True
    return bool(character) and unicodedata.category(character) in ("So", "Sk", "Sm") and not character.isascii()


def _leftward(character: str) -> bool:
    return bool(character) and unicodedata.bidirectional(character) in ("R", "AL")


def carries(character: str) -> bool:
    """Whether it may carry a byte."""
    return _CARRIER.match(character) is not None


def smuggled(text: str) -> tuple[str, Origins] | None:
    """What is written in runs of tags and of variation selectors, a byte each, and the way back. Goes unseen through
    people's eyes, and through guards that only remove it."""
    if text.isascii() or _SMUGGLED.search(text) is None:
        return None
    making = Making()
    for run in _SMUGGLED.finditer(text):
        making.add("\n", run.start())
        for at, character in enumerate(run.group(), run.start() + 1):
            making.add(_hidden(ord(character)), at)
    return making.done()


def _hidden(code: int) -> str:
    """Tags repeat ASCII; 256 selectors, in two blocks, stand for bytes."""
    if code >= 0xE0100:
        return chr(code - 0xE0100 + 16)
    return chr(code - (0xFE00 if code <= 0xFE0F else 0xE0000))
