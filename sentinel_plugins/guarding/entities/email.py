"""E-mail addresses."""

from __future__ import annotations

from sentinel_plugins.guarding.entities.pattern import PatternEntity

_LETTER = "A-Za-z\u00c0-\u024f\u0370-\u052f"
"""Latin, Greek and Cyrillic, for internationalised names. Scripts written without spaces are left out: a sentence would
be taken for the name before the `@`."""
_WORD = f"{_LETTER}0-9_"
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
_MAX = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets


def email_address() -> PatternEntity:
    """RFC 5321 mailboxes without quotes: up to 64 characters, `@`, a domain name with a top level of letters."""
    return PatternEntity(
        "EMAIL_ADDRESS",
        "pii",
        rf"(?<![{_WORD}%+])(?<![{_WORD}][.-])[{_WORD}%+][{_WORD}.%+-]{{0,63}}@"
        rf"(?:[{_LETTER}0-9-]{{1,63}}\.){{1,8}}(?:xn--[A-Za-z0-9-]{{2,59}}|[{_LETTER}]{{2,63}})(?![{_LETTER}0-9])",
        trigger=rf"[{_WORD}.%+-]@[{_LETTER}0-9-]",
        live=rf"[{_WORD}%+][{_WORD}.%+-]*(?:@[{_LETTER}0-9.-]*)?",
        max_length=_MAX,
        left=2,
        check=_mailbox,
    )


def _mailbox(text: str, start: int, end: int) -> bool:
    """Neither a picture in two sizes (`icon@2x.png`) nor the start of a Git remote (`git@github.com`)."""
    name, _, domain = text[start:end].partition("@")
    return name != "git" and not (domain[1:2] == "x" and domain.lower().endswith(_PICTURES))
