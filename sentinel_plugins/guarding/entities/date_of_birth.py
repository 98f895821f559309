"""Dates of birth, where the text says that they are."""

from __future__ import annotations

from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity
from sentinel_plugins.guarding.tail import opening

_LEFT = 40
_LABEL = Label(
    r"d\.?o\.?b\.?|(?:day|place and date) of birth|born(?: on)?|geburts(?:datum|tag)|geb\.?|geboren(?: am)?"
    r"|(?:date|data|fecha)[ _-]?(?:de|di)?[ _-]?(?:naissance|nascita|nacimiento)|née?(?: le)?|nacid[oa](?: el)?"
    r"|nat[oa](?: il)?",
    left=_LEFT,
    adjacent=True,
    names="D(?:ob|OB)|Date[ _-]?[Oo]f[ _-]?[Bb]irth|Birth[ _-]?[Dd]a(?:te|y)",
)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sept", "sep", "oct", "nov", "dec", "januar",
    "februar", "märz", "mai", "juni", "juli", "oktober", "dezember", "janvier", "février", "mars", "avril", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre", "enero", "febrero", "marzo", "abril", "mayo",
    "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre", "gennaio", "febbraio", "aprile",
    "maggio", "giugno", "luglio", "settembre", "ottobre", "dicembre",
)  # fmt: skip
_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_TH = r"(?:st|nd|rd|th|\.|er|º)?"
_OF = "(?:,? (?:de |of )?)"
_OF_BEGUN = "(?:(?:de?|of?) ?)?"


def date_of_birth() -> tuple[PatternEntity, PatternEntity]:
    """A date in figures, or with the month in words (English, German, French, Spanish, Italian), right after `born`,
    `DOB` or a word like them: one that begins with a figure, and one that begins with the month."""
    begun = f"(?i:{'|'.join(opening(month) for month in _MONTHS)})"
    return (
        _date(
            rf"[0-9]{FREE}(?:[0-9]{{0,3}}[./-] ?[0-9]{{1,2}}[./-] ?[0-9]{{2,4}}"
            rf"|[0-9]?{_TH}{_OF}(?i:{_NAMES})\.?{_OF}[0-9]{{4}})(?![A-Za-z0-9])",
            rf"[0-9]{{1,4}}(?:[./-] ?(?:[0-9]{{1,2}}(?:[./-] ?[0-9]{{0,4}})?)?)?"
            rf"|[0-9]{{1,2}}[a-zº.]{{0,2}},? ?{_OF_BEGUN}(?:{begun}\.?,? ?{_OF_BEGUN}[0-9]{{0,4}})?",
        ),
        _date(
            r"(?<![A-Za-z0-9])(?<![A-Za-z0-9]_)(?<![A-Za-z0-9]__)(?=[JFMASONDEGjfmasondeg])"
            rf"(?i:{_NAMES})\.? [0-9]{{1,2}}{_TH},? [0-9]{{4}}(?![A-Za-z0-9])",
            rf"{begun}|(?i:{_NAMES})(?:\.? ?|\.? [0-9]{{1,2}}[a-zº.]{{0,2}},? ?[0-9]{{0,4}})",
        ),
    )


def _date(pattern: str, live: str) -> PatternEntity:
    return PatternEntity(
        "DATE_OF_BIRTH",
        "pii",
        pattern,
        trigger=r"(?i)birth|born|d\.?o\.?b|geb|née?|nacid|nascita|naissance|nacimiento|nat[oa]",
        live=live,
        max_length=40,
        left=_LEFT,
        check=lambda text, start, end: _LABEL.before(text, start),
    )
