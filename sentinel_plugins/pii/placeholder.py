"""What stands for a value that is put back later: seventeen letters and digits in turn, such as `Q4M0X7B2D9F1K3P8N`.

Six characters are the conversation's own, ten the value's, the last one is a check. Consonants and digits in turn are
no word and no number, so nothing that looks for values finds one here; and no two of them are told apart by their case,
or by what looks alike.
"""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase
from typing import Final

LETTERS: Final = "BCDFGHJKMNPQRSTVWXZ"
_DIGITS: Final = "0123456789"
NONCE: Final = 6
LENGTH: Final = 17
_UPPER: Final = str.maketrans(ascii_lowercase, ascii_uppercase)


def nonce(digest: bytes) -> str:
    """The beginning of all placeholders of a conversation."""
    return _spelt(digest, NONCE)


def placeholder(nonce: str, digest: bytes) -> str:
    """The placeholder of a value in the conversation with this nonce."""
    body = nonce + _spelt(digest, LENGTH - 1 - NONCE)
    return body + _check(body)


def is_placeholder(text: str) -> bool:
    """Whether a text in capitals could be one of any conversation: one wrong character, or two that changed places, and
    it could not."""
    if len(text) != LENGTH or any(sign not in _alphabet(at) for at, sign in enumerate(text)):
        return False
    return text[-1] == _check(text[:-1])


def upper(text: str) -> str:
    """The text with the letters of ASCII in capitals. Every character stays in its place."""
    return text.upper() if text.isascii() else text.translate(_UPPER)


def _spelt(digest: bytes, length: int) -> str:
    number = int.from_bytes(digest)
    signs: list[str] = []
    for at in range(length):
        alphabet = _alphabet(at)
        number, rest = divmod(number, len(alphabet))
        signs.append(alphabet[rest])
    return "".join(signs)


def _alphabet(at: int) -> str:
    return _DIGITS if at % 2 else LETTERS


def _check(body: str) -> str:
    """A weighted sum modulo a prime, with weights below it that all differ, as in ISBN-10."""
    total = sum(weight * _alphabet(weight - 1).index(sign) for weight, sign in enumerate(body, 1))
    return LETTERS[total % len(LETTERS)]
