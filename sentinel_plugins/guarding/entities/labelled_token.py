"""Tokens that only the words before them give away."""

from __future__ import annotations

from sentinel_plugins.guarding.entities.entropy import bits_per_character
from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import PatternEntity

_LEFT = 48
_WORDS = (
    r"[a-z_-]{0,20}(?:api[ _-]?key|apikey|access[ _-]?key|secret[ _-]?key|client[ _-]?secret|auth[ _-]?token"
    r"|access[ _-]?token|refresh[ _-]?token|private[ _-]?token|secret|token|passw(?:or)?d|passwort|mot de passe"
    r"|contraseña)|authorization: (?:bearer|basic|token)|bearer"
)
_LABEL = Label(_WORDS, left=_LEFT, adjacent=True)
_CHARACTERS = "A-Za-z0-9_+/=.~-"
_LAST = "A-Za-z0-9_+/="
_GOES_ON = rf"[.~-]{{0,3}}[{_LAST}]"
"""Behind a token: a full stop or a dash ends a sentence, unless the token goes on behind it."""
_LEAST_BITS = 3.0


def labelled_token() -> PatternEntity:
    """Sixteen characters or more that look random, right after `api_key=`, `Authorization: Bearer`, `password:` or
    words like them. Only the token is the value."""
    return PatternEntity(
        "LABELLED_TOKEN",
        "secret",
        rf"(?<![A-Za-z0-9_+/.~-])[A-Za-z0-9_+/][{_CHARACTERS}]{{14,510}}[{_LAST}](?!{_GOES_ON})",
        trigger=r"(?i)api[ _-]?key|access[ _-]?key|secret|token|passw|mot de passe|contraseña|bearer|authorization",
        live=rf"[A-Za-z0-9_+/][{_CHARACTERS}]*",
        max_length=512,
        left=_LEFT,
        check=_random,
    )


def _random(text: str, start: int, end: int) -> bool:
    """Letters and digits, mixed as chance mixes them: neither a name (`my-service-token`) nor a path."""
    value = text[start:end]
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return mixed and bits_per_character(value) >= _LEAST_BITS and _LABEL.before(text, start)
