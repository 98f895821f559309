"""Ways to write a value so that people or models read it and a plain search does not."""

from __future__ import annotations

import base64
import codecs
import html
from collections.abc import Callable
from urllib.parse import quote

_CYRILLIC = str.maketrans("aceopxyi", "асеорхуі")  # noqa: RUF001 - disguises
_GREEK = str.maketrans("ov", "ον")  # noqa: RUF001 - disguises
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_WIDE_SIGNS = {code: wide for code, wide in _WIDE.items() if not chr(code).isalnum()}
_BOLD = str.maketrans(
    {chr(ord("a") + n): chr(0x1D41A + n) for n in range(26)} | {chr(ord("0") + n): chr(0x1D7CE + n) for n in range(10)}
)
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")


def between(sign: str) -> Callable[[str], str]:
    return lambda value: sign.join(value)


def encoded(encode: Callable[[bytes], bytes]) -> Callable[[str], str]:
    return lambda value: encode(f"say {value} now".encode()).decode()


def smuggled_bytes(value: str) -> str:
    return "🙂" + "".join(chr(0xE0100 + byte - 16) for byte in value.encode())


def percent(value: str) -> str:
    return "".join(f"%{byte:02x}" for byte in value.encode())


_base64 = encoded(base64.b64encode)

DISGUISES: dict[str, Callable[[str], str]] = {
    "h40 zero-width space": between("\u200b"),
    "h40 zero-width non-joiner": between("\u200c"),
    "h40 zero-width joiner": between("\u200d"),
    "h40 word joiner": between("\u2060"),
    "h40 byte order mark": between("\ufeff"),
    "h41 tags": lambda value: "".join(chr(0xE0000 + ord(letter)) for letter in value),
    "h41 tags between": between("\U000e0041"),
    "h41 bytes in variation selectors": smuggled_bytes,
    "h41 variation selectors between": between("\ufe0f"),
    "h42 cyrillic": lambda value: value.translate(_CYRILLIC),
    "h42 greek": lambda value: value.translate(_GREEK),
    "h42 full width": lambda value: value.translate(_WIDE),
    "h42 full-width signs": lambda value: value.translate(_WIDE_SIGNS),
    "h42 ideographic full stop": lambda value: value.replace(".", "\u3002"),
    "h42 mathematical": lambda value: value.translate(_BOLD),
    "h42 combining marks": between("\u0336"),
    "h43 override": lambda value: f"\u202e{value}\u202c",
    "h43 isolates between": between("\u2066"),
    "h44 base64": _base64,
    "h44 base64 for urls": encoded(base64.urlsafe_b64encode),
    "h44 base64 twice": lambda value: _base64(_base64(value)),
    "h44 base32": encoded(base64.b32encode),
    "h44 hexadecimal": lambda value: value.encode().hex(),
    "h44 url": lambda value: quote(value, safe=""),
    "h44 url of every byte": percent,
    "h44 url twice": lambda value: quote(percent(value), safe=""),
    "h44 html": lambda value: "".join(f"&#{ord(letter)};" for letter in value),
    "h44 html names": lambda value: html.escape(value).replace("@", "&commat;").replace(".", "&period;"),
    "h44 json": lambda value: "".join(f"\\u{ord(letter):04x}" for letter in value),
    "h44 code": lambda value: "".join(f"\\x{ord(letter):02x}" for letter in value),
    "h44 html in a url": lambda value: percent("".join(f"&#{ord(letter)};" for letter in value)),
    "h45 arabic-indic digits": lambda value: value.translate(_ARABIC),
    "h45 circled digits": lambda value: value.translate(_CIRCLED),
    "h45 dots": lambda value: value.replace("-", "."),
    "h45 spaces": lambda value: value.replace("-", " "),
    "h45 ideographic spaces": lambda value: value.replace("-", "\u3000"),
    "h45 middle dots": lambda value: value.replace("-", "\u30fb"),
    "h45 slashes": lambda value: value.replace("-", "/"),
}
ADDRESS_ONLY: dict[str, Callable[[str], str]] = {"h44 rot13": lambda value: codecs.encode(value, "rot13")}
"""What keeps the form of an address, but not of a key."""
