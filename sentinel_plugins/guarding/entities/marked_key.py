"""Keys whose vendor is told by what stands in their middle."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel_plugins.guarding.entities.entropy import LEAST_BITS, bits_per_character
from sentinel_plugins.guarding.entities.pattern import PatternEntity
from sentinel_plugins.guarding.tail import opening


@dataclass(frozen=True, slots=True)
class MarkedForm:
    """How the keys of one vendor look: so many of these characters, a mark, so many of others, then none of those."""

    name: str
    before: str
    least_before: int
    most_before: int
    mark: str
    body: str
    least: int
    most: int
    begins: str = ""
    """What all of them begin with, ahead of the characters before the mark."""
    behind: str = "A-Za-z0-9"
    """What may not stand in front."""


MARKED_FORMS = (
    MarkedForm("AIRTABLE_TOKEN", "A-Za-z0-9", 14, 14, ".", "0-9a-f", 64, 64, begins="pat"),
    MarkedForm("AZURE_CLIENT_SECRET", "A-Za-z0-9_~.-", 4, 4, "Q~", "A-Za-z0-9_~.-", 31, 34),
    MarkedForm("TELEGRAM_TOKEN", "0-9", 8, 10, ":AA", "A-Za-z0-9_-", 33, 33, behind="0-9"),
    MarkedForm("TERRAFORM_TOKEN", "A-Za-z0-9", 14, 14, ".atlasv1.", "A-Za-z0-9_-", 60, 70),
)
"""From the list that `vendor_key.FORMS` is from. In addresses Telegram's stand behind `bot`, without a sign between."""


def marked_keys() -> tuple[PatternEntity, ...]:
    """Every form that is known."""
    return tuple(map(_marked_key, MARKED_FORMS))


def _marked_key(form: MarkedForm) -> PatternEntity:
    before = f"[{form.before}]"
    first = rf"{form.begins}{before}{{{form.least_before},{form.most_before}}}"
    mark = "".join(f"[{sign}]" for sign in form.mark)
    body = f"[{form.body}]"
    return PatternEntity(
        form.name,
        "secret",
        rf"(?<![{form.behind}]){first}{mark}{body}{{{form.least},{form.most}}}(?![_.~-]{{0,3}}[A-Za-z0-9])",
        trigger=rf"{before}{mark}{body}{{8}}",
        live=opening(form.begins, rf"{before}{{1,{form.most_before}}}(?:{opening(form.mark, f'{body}*')})?"),
        max_length=len(form.begins) + form.most_before + len(form.mark) + form.most,
        check=lambda text, start, end: bits_per_character(text[start:end]) >= LEAST_BITS,
    )
