"""How telephone numbers are written at home where no word says that they are.

Columns of figures, amounts, coordinates and postal codes have the same digits. What tells them apart is what nobody
does to a number: two kinds of sign in it, several spaces, more and more groups behind it.
"""

from __future__ import annotations

import re

from sentinel_plugins.guarding.entities.amount import is_amount
from sentinel_plugins.guarding.entities.figures import in_a_row, sizes, version
from sentinel_plugins.guarding.entities.label import Label

LEFT = 32
"""Characters before a number that are read."""
_SIGN = "[ .\\-/\u00a0]"
_AREA = "(?:0[1-9][0-9]{0,4}|[3-9][0-9]{1,2})"
"""Of the countries that write no 0 in front, Italy and Spain, no numbers of people begin lower."""
AMERICAN = re.compile(
    r"(?:\+?1[ .-]?)?(?:\([0-9]{3}\) ?[0-9]{3}[-. ]|[0-9]{3}(?:-[0-9]{3}[- ]| [0-9]{3}-|\.[0-9]{3}\.))[0-9]{4}"
)
"""In the form of North America, by signs that say so."""
AMERICAN_BEGUN = r"(?:1[ .-]?)?(?:\([0-9]{3}\)|[0-9]{3}(?:-| [0-9]{3}-|\.[0-9]{3}\.))"
SPACED = re.compile(r"(?:1 )?[0-9]{3} [0-9]{3} [0-9]{4}")
"""In the form of North America, with nothing but spaces."""
_THREES = re.compile("[1-9][0-9]{1,2}(?P<gap>[ \u00a0])[0-9]{3}(?:(?P=gap)[0-9]{3}){1,2}")
_GROUPS = re.compile(rf"[1-9][0-9]*(?P<sign>{_SIGN})[0-9]+(?:(?P=sign)[0-9]+)+")
_NATIONAL = re.compile(
    rf"{_AREA}(?P<sign>{_SIGN})[0-9]{{2,10}}(?:(?P=sign)[0-9]{{2,8}}){{0,4}}"
    rf"|(?:\({_AREA}\)|0[1-9][0-9]{{0,4}})(?: ?[/-] ?)?(?<![0-9]) ?[0-9]{{2,8}}"
    rf"(?:(?P<behind>{_SIGN})[0-9]{{2,8}}(?:(?P=behind)[0-9]{{2,8}}){{0,3}})?(?:-[0-9]{{1,4}})?"
    r"|0[1-9][0-9]{0,4}[ -][0-9]{2,8}(?: [0-9]{2,8}){0,3}-[0-9]{1,4}"  # with an extension: DIN 5008
    r"|0 8[0-9]{2}(?: [0-9]{2,3}){2,3}"  # free of charge in France
)
NATIONAL_BEGUN = (
    rf"(?:1 )?[0-9]{{3}} [0-9]{{3}} |0 8|\(?{_AREA}(?:\.[0-9]{{2,10}}\.|(?:\)? ?[/-] ?|\) ?|[ \xa0])[0-9]{{2}})"
)
"""What every number begins with that nothing but its groups gives away: most columns of figures do not."""
DATED = re.compile(
    r"(?:[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{2}|[0-9]{4})|[0-9]{1,2} [0-9]{1,2} [0-9]{4}"
    r"|[0-9]{4}([./ -])[0-9]{2}\2[0-9]{2})(?: .*)?|[0-9]{3}-[0-9]{2}-[0-9]{4}"
    r"|(?:19|20)[0-9]{2} ?[-/] ?(?:19|20)[0-9]{2}"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){1,3} \((?:19|20)[0-9]{2}([./-])[0-9]{2}\3[0-9]{2}\)?"
)
"""Dates, with a time or without, the form of social security numbers, years from and to, versions with their date."""
_NO_NUMBER = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+\.[0-9]+"  # thousands, decimals
    r"|[0-9]{4}(?:[ .-][0-9]{4})+"
    rf"|(?!0[0-9](?:.[0-9]{{2}}){{4}}\Z)[0-9]{{2}}(?:{_SIGN}[0-9]{{2}})+"  # bytes; French numbers are five pairs
    r"|\(?[0-9]{2,6}[^1-9]+"  # of nobody but zeros
    r"|.*(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}.*"
)
_GOES_ON = re.compile(rf"(?P<sign>{_SIGN})[0-9]{{1,8}}(?P=sign)[0-9]|[:,][0-9A-F]")
"""Behind a number: two more columns of a table, more of an amount."""
_ZIP = re.compile("[0-9]{5}-[0-9]{4}(?![0-9-])")
_STATE = re.compile(
    r"(?<![A-Za-z])(?:A[AEKLPRSZ]|C[AOT]|D[CE]|F[LM]|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEHINOPST]|N[CDEHJMVY]|O[HKR]|P[ARW]|RI"
    r"|S[CD]|T[NX]|UT|V[AIT]|W[AIVY])[.,]{0,2}[\s#*/;>-]{1,12}\Z"
)
"""As the postal service of the United States abbreviates them (Publication 28, appendix B)."""
_POSTAL = Label(
    r"post(?:al)? ?code|connecticut|maine|massachusetts|new (?:hampshire|jersey)|puerto rico|rhode island|vermont",
    left=LEFT,
    adjacent=True,
    names=r"Zip(?:[ _-]?Code)?|Post(?:al)?[ _-]?Code",
)
"""The words for postal codes, and the states whose codes begin with a 0."""


def written(value: str) -> bool:
    """Whether a number may be written so, in a country where numbers are not told by their form alone."""
    return _NATIONAL.fullmatch(value) is not None and not (DATED.fullmatch(value) or _NO_NUMBER.fullmatch(value))


def goes_on(value: str, text: str, end: int) -> bool:
    """Whether what looks like a number is only the first columns of a row."""
    more = _GOES_ON.match(text, end)
    return more is not None and (more["sign"] is None or more["sign"] in value)


def postal(text: str, start: int) -> bool:
    """Whether a postal code of the United States with its four more digits begins here, behind words that say so."""
    if not _ZIP.match(text, start):
        return False
    return _STATE.search(text, max(0, start - LEFT), start) is not None or _POSTAL.before(text, start)


def counted(value: str, text: str, start: int, end: int) -> bool:
    """Whether figures have the form of a number where no word says that they are one: sizes such as `640 480 320` and
    `256-512-1024`, versions, rows and amounts."""
    groups = _GROUPS.fullmatch(value)
    if groups is None:
        return False
    weak = groups["sign"] in " \u00a0" or value[0] == "1"  # no area begins so
    if sizes(value, *((8, 10) if weak else (16, 100))):
        return True
    if groups["sign"] == ".":
        return version(text, start)
    threes = _THREES.fullmatch(value)
    if threes is None and not SPACED.fullmatch(value):
        return False
    if in_a_row(text, start, end, groups["sign"]):
        return True
    return threes is not None and (_in_brackets(text, start, end) or is_amount(text, start, end))


def _in_brackets(text: str, start: int, end: int) -> bool:
    """As matrices are printed. What Markdown links stands in such brackets, too."""
    return (
        text.startswith("[", max(0, start - 1), start) and text.startswith("]", end) and text[end + 1 : end + 2] != "("
    )
