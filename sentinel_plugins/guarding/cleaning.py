"""Requests without what nobody sees: in texts, in what JSON says, and in the names that callers choose."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sentinel_core.dialects.slots import KEY, OWN
from sentinel_core.messages import Path, TextSlot
from sentinel_plugins.guarding.form import ARGUMENTS
from sentinel_plugins.guarding.unseen import cleaned, unseen_in

_HIGH, _LOW, _HEX = "[dD][89abAB][0-9a-fA-F]{2}", "[dD][c-fC-F][0-9a-fA-F]{2}", "[0-9a-fA-F]{4}"
_MARK: Final = "\N{REPLACEMENT CHARACTER}"
_CHARACTER: Final = re.compile(rf"\\(?:u{_HIGH}\\u{_LOW}|u{_HEX}|.)|.", re.DOTALL)


def without_unseen(slots: Sequence[TextSlot], changes: Mapping[Path, str]) -> dict[Path, str]:
    """What is left of texts that hold characters nobody sees, where they change so.

    Names are cleaned where callers choose them. A name of the format stays, and what might become one: it would be a
    field that no stage has read.
    """
    left: dict[Path, str] = {}
    for slot in slots:
        text = changes.get(slot.path, slot.text)
        clean = cleaned_json(text) if slot.kind in ARGUMENTS else cleaned(text)
        if clean != text and (slot.kind != "key" or _is_chosen(slot.path, slots)):
            left[slot.path] = clean
    return left


def cleaned_json(text: str) -> str:
    """JSON whose strings say nothing that nobody sees, however that is written; the rest as it is written.

    Where there are parts of escapes, such as half of a surrogate pair, a mark stays for what goes: nothing may become
    an escape by what is taken out of it.
    """
    text = cleaned(text)
    if "\\u" not in text or text.lstrip()[:1] not in ("{", "[", '"'):
        return text
    written = _CHARACTER.findall(text)
    meant = "".join(map(_meaning, written))
    mark = _MARK if _MARK in meant or "\\u" in written else ""
    for start, end, kept in unseen_in(meant):
        written[start:end] = (kept or mark, *[""] * (end - start - 1))
    return "".join(written)


def _meaning(written: str) -> str:
    """The character that this stands for: of half of a pair `_MARK`, of an escape by a letter that letter, which makes
    no difference beside it."""
    if len(written) <= 2:
        return written[-1]
    return bytes.fromhex(written.replace("\\u", "")).decode("utf-16-be", "replace")


def _is_chosen(path: Path, slots: Collection[TextSlot]) -> bool:
    """Whether a name stands where a caller chooses them: below a field for that, or one that the format does not know,
    whose name is read as well."""
    names = {slot.path for slot in slots if slot.kind == "key"}
    parents = [(path[:at], step) for at, step in enumerate(path[:-2])]
    return any(step in OWN or (*above, KEY, step) in names for above, step in parents)
