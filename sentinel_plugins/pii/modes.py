"""The ways to read what follows the beginning of a target, and where each of them ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

Mode: TypeAlias = Literal[
    "address",
    "address with brackets",
    "address in quotes",
    "inline begins",
    "inline",
    "inline escape",
    "inline line",
    "inline angles",
    "inline angles escape",
    "definition begins",
    "definition",
    "definition angles",
    "definition angles escape",
    "style begins",
    "style",
    "style escape",
    "style double",
    "style single",
    "tag",
    "attribute name",
    "attribute",
    "attribute bare",
    "attribute double",
    "attribute single",
]
"""An address that stands for itself; `](…)`, `]: …` with angle brackets and escapes; `url(…)`; a tag's attributes, in
the states of HTML's tokenizer (13.2.5.32 to 13.2.5.39)."""

ELSE: Final = ""
"""Stands for every sign that a mode does not name."""
_END: Final = None

NEXT: Mapping[Mode, Mapping[str, Mode | None]] = {
    "address": {
        " ": _END,
        "\n": _END,
        "<": _END,
        "(": "address with brackets",
        "[": "address with brackets",
        "{": "address with brackets",
        '"': "address with brackets",
        "'": "address with brackets",
        ELSE: "address",
    },
    "address with brackets": {" ": _END, "\n": _END, ELSE: "address with brackets"},
    "address in quotes": {" ": _END, "\n": _END, "<": _END, ">": _END, ELSE: "address in quotes"},
    "inline begins": {
        " ": "inline begins",
        "\n": "inline begins",
        "<": "inline angles",
        "\\": "inline escape",
        ELSE: "inline",
    },
    "inline": {"\n": "inline line", "\\": "inline escape", ELSE: "inline"},
    "inline escape": {"\n": "inline line", ELSE: "inline"},
    "inline line": {" ": "inline line", "\n": _END, "\\": "inline escape", ELSE: "inline"},
    "inline angles": {">": "inline", "\n": "inline line", "\\": "inline angles escape", ELSE: "inline angles"},
    "inline angles escape": {"\n": "inline line", ELSE: "inline angles"},
    "definition begins": {
        " ": "definition begins",
        "\n": "definition begins",
        "<": "definition angles",
        ELSE: "definition",
    },
    "definition": {" ": _END, "\n": _END, ELSE: "definition"},
    "definition angles": {">": "definition", "\n": _END, "\\": "definition angles escape", ELSE: "definition angles"},
    "definition angles escape": {"\n": _END, ELSE: "definition angles"},
    "style begins": {
        " ": "style begins",
        "\n": "style begins",
        '"': "style double",
        "'": "style single",
        ")": _END,
        ELSE: "style",
    },
    "style": {")": _END, "\\": "style escape", ELSE: "style"},
    "style escape": {ELSE: "style"},
    "style double": {'"': "style", ELSE: "style double"},
    "style single": {"'": "style", ELSE: "style single"},
    "tag": {" ": "tag", "\n": "tag", "/": "tag", ">": _END, ELSE: "attribute name"},
    "attribute name": {
        " ": "attribute name",
        "\n": "attribute name",
        "/": "tag",
        "=": "attribute",
        ">": _END,
        ELSE: "attribute name",
    },
    "attribute": {
        " ": "attribute",
        "\n": "attribute",
        ">": _END,
        '"': "attribute double",
        "'": "attribute single",
        ELSE: "attribute bare",
    },
    "attribute bare": {" ": "tag", "\n": "tag", ">": _END, ELSE: "attribute bare"},
    "attribute double": {'"': "tag", ELSE: "attribute double"},
    "attribute single": {"'": "tag", ELSE: "attribute single"},
}
"""What comes of a mode with the next sign. A space stands for every one that ends no line."""

COUNTS: Final = frozenset({"inline begins", "inline", "inline line"})
"""Those that end with the parenthesis that closes theirs."""
QUOTED: Final = frozenset({"attribute double", "attribute single"})
"""Those in which an address ends with the tag."""
