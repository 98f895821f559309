"""Check digits of numbers that people and banks have."""

from __future__ import annotations

from itertools import cycle

_NO_SIGNS = str.maketrans("", "", " .-/()+\u00a0")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""Each digit twice, and the digits of that added."""


def digits_of(text: str) -> str:
    """The digits of a number, without the signs between them."""
    return text.translate(_NO_SIGNS)


def luhn_prefixes(digits: str) -> list[bool]:
    """For each length, from none, whether that many of the digits end with their check digit. ISO/IEC 7812-1, annex B:
    every second digit from the right doubled, the sum divisible by ten."""
    right, with_last_plain, with_last_doubled = [False], 0, 0
    for digit in map(int, digits):
        with_last_plain, with_last_doubled = with_last_doubled + digit, with_last_plain + _DOUBLED[digit]
        right.append(with_last_plain % 10 == 0)
    return right


def mod_97_10(characters: str) -> bool:
    """ISO/IEC 7064 MOD 97-10, as IBANs use it: letters count from A = 10, the first four characters go last."""
    moved = characters[4:] + characters[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def mod_11_10(digits: str) -> bool:
    """ISO/IEC 7064 MOD 11,10: the check digit of German tax numbers."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def weighted_mod_11(digits: str) -> bool:
    """Ten digits, weighted 10 down to 1, sum divisible by eleven: the check digit of NHS numbers."""
    return sum(int(digit) * weight for digit, weight in zip(digits, range(10, 0, -1), strict=True)) % 11 == 0


_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
), strict=True))  # fmt: skip
_EVEN = {character: int(character, 36) if character.isdigit() else int(character, 36) - 10 for character in _ODD}


def codice_fiscale(characters: str) -> bool:
    """The last letter of an Italian tax code: decree of 23 December 1976, tables of odd and even places."""
    values = zip(characters[:15], cycle((_ODD, _EVEN)))
    return ord(characters[15]) - ord("A") == sum(table[character] for character, table in values) % 26


def nif(number: int, letter: str) -> bool:
    """The letter of a Spanish NIF or NIE: its number modulo 23."""
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == letter
