"""Tokens that only the words before them give away."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.entities.entropy import bits_per_character
from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.open_ended import OpenEnded
from sentinel_plugins.guarding.entities.pattern import PatternEntity

_LEFT = 48
_SIGN = "[\"'`*]{0,2}[ \\t]{0,16}[:=]"
_KEYS = r"(?:api|access|secret|private|signing|encryption|subscription)[ _-]?key"
_MORE = r"secret|token|passw(?:or)?d|passphrase|pwd|credentials?|passwort|mot de passe|contraseña"
_PASS = f"Pass{_SIGN}"
_LABEL = Label(
    rf"[a-z_-]{{0,20}}(?:{_KEYS}|client[ _-]?secret|(?:auth|access|refresh|private)[ _-]?token|{_MORE})"
    rf"|authorization{_SIGN}[ \t]{{0,16}}[\"']?(?:bearer|basic|token)|bearer",
    left=_LEFT,
    adjacent=True,
    names=_PASS,
)
_DIRECTORY = Label("(?:old)?pwd", left=_LEFT, adjacent=True)
_CHOSEN = Label(
    r"[a-z_-]{0,20}(?:passw(?:or)?d|passphrase|pwd|passwort|mot de passe|contraseña)",
    left=_LEFT,
    adjacent=True,
    names=_PASS,
)
"""Words for what people think up: it may be made of words."""
_TRIGGER = rf"(?i){_KEYS}|{_MORE}|{_PASS}|bearer|authorization"
_HELD = 512
_CHARACTERS = "A-Za-z0-9_+/=.~-"
_LAST = "A-Za-z0-9_+/="
_GOES_ON = rf"[.~-]{{0,3}}[{_LAST}]"
"""Behind a token: a full stop or a dash ends a sentence, unless the token goes on behind it."""
_LEAST_BITS = 3.0
_QUOTES = "\"'`\u201c\u2018\u201e\u00ab"
_SIGNS = "!#$%^*@"
_DECIDING = re.compile("[!#$^*@]")
"""A percent sign may only begin an escape."""
_RANGE = re.compile("[aA]-[zZ]|0-9")
_FIGURES = re.compile("[0-9]+")
_MOST_FIGURES = 2
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_CONSTANT = re.compile("[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_WORDS = re.compile("(?:[A-Za-z]?[0-9]{1,5}+)?(?:(?:[A-Z][a-z]++|[a-z]{2,}+|[A-Z]{2,}+)[0-9]{0,5}+)*+|[A-Za-z]")
"""What names of code are made of between underscores: `b64encode`, `OPENAI`, `sha256Hash`, `2`."""
_TYPE = re.compile(
    "[A-Z][A-Za-z0-9]{0,62}[a-z0-9](?:Base|Bearer|Client|Config|Credentials?|Error|Exception|Factory|Handler|Hasher|Keys?"
    "|Manager|Model|Options|Pair|Params|Provider|Request|Response|Schema|Scheme|Service|Settings|Store|Tokens?|Type)"
)
"""What classes are named for: a word that chance does not make."""
_ARGUMENT = re.compile("[A-Za-z_][A-Za-z0-9_]*+=[A-Za-z0-9]")
_PATH = re.compile("(?:[/._~-]{1,3}(?:v?[0-9]{1,4}|(?:[A-Z]?[a-z]{2,}|[A-Z]{2,})[0-9]{0,4}|[a-z]))++")
"""`/etc/ssl/private/server-2024.key`. Chance may begin with a slash as well."""
_RESOURCE = re.compile("[a-z]{2,}+(?:-(?:[a-z]{2,}+|v[0-9]{1,2}|(?:19|20)[0-9]{2}))++")
"""As Kubernetes names things: `my-app-credentials-v2`."""


def labelled_token() -> tuple[PatternEntity, PatternEntity]:
    """Sixteen characters or more that look random, right after `api_key=`, `Authorization: Bearer`, `password:` or
    words like them: of those that tokens are made of, and passwords with signs in them, up to a space or a quote. Only
    the token is the value."""
    return (
        OpenEnded(
            "LABELLED_TOKEN",
            "secret",
            rf"(?<![A-Za-z0-9_+/.~-])[A-Za-z0-9_+/]"
            rf"(?:[{_CHARACTERS}]{{{_HELD - 1}}}|[{_CHARACTERS}]{{14,{_HELD - 2}}}[{_LAST}](?!{_GOES_ON}))",
            more="",
            rest=f"[%{_CHARACTERS}]*+",
            trigger=_TRIGGER,
            live=rf"[A-Za-z0-9_+/][{_CHARACTERS}]*",
            max_length=_HELD,
            left=_LEFT,
            check=_random,
        ),
        PatternEntity(
            "LABELLED_TOKEN",
            "secret",
            rf"(?<=[\s=:{_QUOTES}])[!#^*@A-Za-z0-9][{_SIGNS}{_CHARACTERS}]{{14,126}}[{_SIGNS}{_LAST}]"
            r"(?=[.~-]{0,3}(?:[^!-~]|[,;)<\"'`]|\Z))",
            trigger=_TRIGGER,
            live=rf"[!#^*@A-Za-z0-9][{_SIGNS}{_CHARACTERS}]*",
            max_length=128,
            left=_LEFT,
            check=_password,
        ),
    )


def _password(text: str, start: int, end: int) -> bool:
    """Letters, digits and several signs, mixed as chance mixes them: no pattern of characters, no words with a sign."""
    value = text[start:end]
    if len(_DECIDING.findall(value)) < 2 or len(_FIGURES.findall(value)) < 2 or _RANGE.search(value):
        return False
    return bits_per_character(value) >= _LEAST_BITS and value.upper() != value.lower() and _LABEL.before(text, start)


def _random(text: str, start: int, end: int) -> bool:
    """Letters and digits, mixed as chance mixes them: neither a name (`my-service-token`) nor a path."""
    value = text[start:end]
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    if not mixed or bits_per_character(value) < _LEAST_BITS or not _LABEL.before(text, start):
        return False
    if _RESOURCE.fullmatch(value):
        return _CHOSEN.before(text, start)
    if value[0] == "/" and (_PATH.fullmatch(value) or _DIRECTORY.before(text, start)):
        return False
    return not _code(text, start, end)


def _code(text: str, start: int, end: int) -> bool:
    """Names that are made of words, not in quotes: what is called (`make_key2(`), what belongs to something
    (`settings.key_2`), constants (`API_KEY_2`), classes that say of what kind something is (`: OAuth2AccessToken`), and
    what is passed by its name (`(key_size=2048`)."""
    value = text[start:end]
    if text.startswith("(", max(0, start - 1), start) and _ARGUMENT.match(value):
        return True
    if (start and text[start - 1] in _QUOTES) or len(_FIGURES.findall(value)) > _MOST_FIGURES:
        return False
    owned = "." in value and (value[0].islower() or "_" in value)
    if not (owned or text.startswith("(", end) or _CONSTANT.fullmatch(value) or _kind(text, start, end)):
        return False
    return all(_NAME.fullmatch(name) and all(map(_WORDS.fullmatch, name.split("_"))) for name in value.split("."))


def _kind(text: str, start: int, end: int) -> bool:
    """Whether this may be a class where one is expected. People make passwords of words, too, and assign them."""
    assigned = text.startswith("=", max(0, start - 1)) or text.startswith("= ", max(0, start - 2))
    return not assigned and _TYPE.fullmatch(text, start, end) is not None and not _CHOSEN.before(text, start)
