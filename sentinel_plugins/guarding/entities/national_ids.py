"""Numbers that states give to people, beside the American one."""

from __future__ import annotations

import re
from collections import Counter

from sentinel_plugins.guarding.entities.checksums import codice_fiscale, digits_of, mod_11_10, nif, weighted_mod_11
from sentinel_plugins.guarding.entities.figures import BESIDE, decimals, in_a_row, sizes
from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity

_LEFT = 40
_NHS = Label(
    r"national health|health (?:service )?(?:no|number|id)", left=_LEFT, names="N(?:hs|HS)|Patient(?:[ _-]?I[Dd])?"
)
_TAX = Label(
    r"steuer[\w-]{0,24}|(?:steuer)?identifikationsnummer|tin|tax[ -]?(?:no|number)\w{0,12}",
    left=_LEFT,
    names="Id[Nn]r|Tax[ _-]?I[Dd]",
)
_AFTER = "(?![A-Za-z0-9])"
_FLOAT = re.compile("[0-9]{8}[eE][+\u2010\u2011\u2212-][0-9]")
"""With an exponent, whose sign may be one that word processors write."""


def uk_nhs() -> PatternEntity:
    """Ten digits with their check digit, divided 3-3-4 and in no row of figures, or after `NHS` or a word like it."""
    return PatternEntity(
        "UK_NHS",
        "pii",
        rf"[0-9]{FREE}[0-9]{{2}}([ -]?)[0-9]{{3}}\1[0-9]{{4}}{_AFTER}",
        trigger=r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}",
        live=rf"[0-9]{{1,3}}(?:[ -]?(?:[0-9]{{1,3}}(?:[ -]?(?:[0-9]{{1,4}}(?: {BESIDE})?)?)?)?)?",
        max_length=19,
        left=_LEFT,
        check=_nhs,
    )


def _nhs(text: str, start: int, end: int) -> bool:
    digits = digits_of(text[start:end])
    if not weighted_mod_11(digits) or len(set(digits)) == 1:
        return False
    alone = text[start + 3] == " " and not (in_a_row(text, start, end, " ") or sizes(text[start:end], 8, 10))
    return alone or (not decimals(text, start) and _NHS.before(text, start))


def es_nif() -> PatternEntity:
    """A Spanish DNI or NIE: eight digits, or X, Y or Z and seven, and the letter that belongs to them. Not the figures
    of a number with a decimal point or an exponent (`1.06156156e-06`)."""
    return PatternEntity(
        "ES_NIF",
        "pii",
        rf"[0-9XYZxyz]{FREE}(?:(?<=[0-9])(?:[0-9]{{7}}|[0-9]\.[0-9]{{3}}\.[0-9]{{3}})|(?<=[XYZxyz])[ -]?[0-9]{{7}})"
        rf"[ -]?[A-Za-z]{_AFTER}",
        trigger=r"[0-9]{7}[ -]?[A-Za-z]|[0-9]{2}\.[0-9]{3}\.[0-9]{3}[ -]?[A-Za-z]",
        live=r"[0-9]{1,2}\.(?:[0-9]{1,3}(?:\.(?:[0-9]{1,3}[ -]?[A-Za-z]?)?)?)?|[0-9]{1,8}[ -]?[A-Za-z]?"
        r"|[0-9]{8}[eE][+\x{2010}\x{2011}\x{2212}-]"
        r"|[XYZxyz][ -]?(?:[0-9]{1,7}[ -]?[A-Za-z]?)?",
        max_length=12,
        check=_nif,
    )


def _nif(text: str, start: int, end: int) -> bool:
    if decimals(text, start) or _FLOAT.match(text, start):
        return False
    value = re.sub(r"[ .-]", "", text[start:end]).upper()
    return nif(int(value[:-1].translate(str.maketrans("XYZ", "012"))), value[-1])


def it_fiscal_code() -> PatternEntity:
    """The Italian tax code of a person: sixteen characters, letters for digits where two people would share one."""
    digit = "[0-9LMNPQRSTUVlmnpqrstuv]"
    return PatternEntity(
        "IT_FISCAL_CODE",
        "pii",
        rf"[A-Za-z]{FREE}[A-Za-z]{{5}}{digit}{{2}}[A-Ea-eHhLlMmPpR-Tr-t]{digit}{{2}}[A-Za-z]{digit}{{3}}[A-Za-z]{_AFTER}",
        trigger=rf"[A-Za-z]{{6}}{digit}{{2}}[A-Ea-eHhLlMmPpR-Tr-t]{digit}{{2}}[A-Za-z]{digit}{{3}}[A-Za-z]",
        live=rf"[A-Za-z]{{1,6}}(?:{digit}{{1,2}}[A-Za-z0-9]{{0,8}})?",
        max_length=16,
        check=lambda text, start, end: codice_fiscale(text[start:end].upper()),
    )


def de_tax_id() -> PatternEntity:
    """The German tax number of a person (IdNr): eleven digits of which the first ten repeat one or two, with their
    check digit; divided 2-3-3-3, or undivided after a word such as `Steuer-ID`."""
    return PatternEntity(
        "DE_TAX_ID",
        "pii",
        rf"[1-9]{FREE}[0-9]([ ]?)[0-9]{{3}}\1[0-9]{{3}}\1[0-9]{{3}}{_AFTER}",
        trigger=r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
        live=rf"[0-9]{{1,2}}(?: ?(?:[0-9]{{1,3}}(?: ?(?:[0-9]{{1,3}}(?: ?(?:[0-9]{{1,3}}(?: {BESIDE})?)?)?)?)?)?)?",
        max_length=21,
        left=_LEFT,
        check=_tax_id,
    )


def _tax_id(text: str, start: int, end: int) -> bool:
    """§ 139b AO: of the first ten digits one occurs twice or three times, all others at most once."""
    digits = digits_of(text[start:end])
    repeated = [times for times in Counter(digits[:10]).values() if times > 1]
    if len(repeated) != 1 or repeated[0] > 3 or not mod_11_10(digits):
        return False
    if end - start == 14 and not in_a_row(text, start, end, " "):
        return True
    return not decimals(text, start) and _TAX.before(text, start)


def fr_insee() -> PatternEntity:
    """The French social security number (NIR): sex, year, month, department, and two digits that check them."""
    return PatternEntity(
        "FR_INSEE",
        "pii",
        rf"[1278]{FREE}( ?)[0-9]{{2}}\1(?:0[1-9]|1[0-2]|[2-35-9][0-9]|4[0-2])\1(?:[0-9]{{2}}|2[AaBb])\1[0-9]{{3}}\1"
        rf"[0-9]{{3}} ?[0-9]{{2}}{_AFTER}",
        trigger=r"[1278] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AaBb] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        live=r"[1278](?: ?[0-9]){0,5}(?: ?[0-9AaBb])?(?: ?[0-9]){0,8} ?",
        max_length=21,
        check=_nir,
    )


def _nir(text: str, start: int, end: int) -> bool:
    """The key is 97 less the remainder; Corsica's 2A and 2B count as 19 and 18."""
    if decimals(text, start):
        return False
    value = text[start:end].replace(" ", "").upper().replace("2A", "19").replace("2B", "18")
    return 97 - int(value[:13]) % 97 == int(value[13:])
