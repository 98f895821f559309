"""Connection strings that name the password: of ADO.NET, ODBC and libpq, and of JDBC."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.entities.open_ended import OpenEnded
from sentinel_plugins.guarding.tail import opening

_KEYS = (
    "server", "data source", "datasource", "host", "hostname", "hostaddr", "addr", "address", "network address",
    "port", "database", "initial catalog", "dbname", "driver", "dsn", "provider", "user", "user id", "userid", "uid",
    "username", "password", "pwd",
)  # fmt: skip
_KEY = "|".join(sorted(_KEYS, key=len, reverse=True))
_PLAIN = r"!#-&(-:=?-\[\]-_a-~"
_SIGN = rf"(?:[{_PLAIN}]|\\(?=[A-Z]))"
_VALUE = rf"{_SIGN}{{0,120}}"
"""`.\\SQLEXPRESS` is a server; other backslashes begin an escape."""
_NAME = "[A-Za-z][A-Za-z0-9_]{0,32}(?: [A-Za-z]{1,16}){0,3}"
_MOST_PAIRS = 16
_LATER = "),."
_LAST = rf"(?<![{_LATER}])"
_LONG = 2048
"""Characters of a password in front of all that says what it is for."""
MAX_LENGTH = _LONG + _MOST_PAIRS * 210 + 160
"""Of connection strings of every form."""
REST = rf"[{_PLAIN};\\]*+"
"""How they go on behind that."""
_BEGUN = rf"[{_PLAIN}\\]*"
_KEYS_BEGUN = "|".join(map(opening, (*_KEYS, "sslmode")))
_PASSWORD = re.compile(rf"(?<![A-Za-z0-9_])(?:password|passwd|pwd) ?= ?([{_PLAIN}]+)", re.IGNORECASE)
NO_PASSWORD = re.compile(
    r"[${*\[]|%(?![0-9a-f]{2})|%\w+%\Z"
    r"|(?:(?:(?:your|my|the|db|user)?[\W_]?(?:password|passwd|pass|pwd|secret)|none|null|nil|redacted|change[\W_]?me)"
    r"(?:[\W_]?here)?|([^0-9])\1+)(?:&.*)?\Z",
    re.IGNORECASE,
)
"""What stands in the place of one: a variable, a directive of `printf`, its name, a row of the same sign."""
_CODE = re.compile(r"[/&]|[a-z_]\w*(?:\.[a-z_]\w*)*[(\[]|[a-z_]\w*(?:\.[a-z_]\w*)+\Z", re.IGNORECASE)
"""A directory, or the code that asks for one."""
_FOR = re.compile(rf"(?<![A-Za-z0-9_])(?!pass|pwd)(?:{_KEY}) ?=", re.IGNORECASE)
_ORACLE = re.compile(r"jdbc:oracle:[a-z0-9]+:[^\s/@:]+/(?![$%{*])[^\s/@]+@", re.IGNORECASE)
_URL = 500
"""Characters of an address in which a password must begin."""


def connection_properties() -> tuple[OpenEnded, OpenEnded]:
    """Pairs such as `Server=db;User Id=app;Password=…`, of which one is a password and another says for what; and
    addresses of JDBC with a password among their properties, or before the host. All of it, as of other addresses."""
    return (
        OpenEnded(
            "CONNECTION_STRING",
            "secret",
            rf"(?<![A-Za-z0-9_])(?:(?i:{_KEY}) ?= ?{_VALUE}"
            rf"|(?<![{_PLAIN}])(?i:password|pwd) ?= ?[{_PLAIN}]{{121,{_LONG}}}+)"
            rf"(?:; ?{_NAME} ?= ?{_VALUE}|(?<!,)[ ](?i:{_KEY}|sslmode)={_VALUE}){{1,{_MOST_PAIRS}}}{_LAST}",
            more=rf"(?:{_SIGN}++(?:{_SIGN}|; ?{_NAME} ?= ?|(?<!,)[ ](?i:{_KEY}|sslmode)=)*+)?",
            rest=REST,
            trimmed=_LATER,
            trigger=rf"(?i)(?:password|passwd|pwd) ?= ?[{_PLAIN}]",
            live=rf"(?i:{_KEYS_BEGUN}|(?:{_KEY}) ?(?:= ?{_BEGUN}"
            rf"(?:; ?(?:[A-Za-z][A-Za-z0-9_ ]*(?:= ?{_BEGUN})?)?"
            rf"|[ ](?:{_KEYS_BEGUN}|(?:{_KEY}|sslmode)=?{_BEGUN})?)*)?)",
            max_length=MAX_LENGTH,
            check=lambda text, start, end: _tells(text, start, end) and _FOR.search(text, start, end) is not None,
        ),
        OpenEnded(
            "CONNECTION_STRING",
            "secret",
            rf"(?<![A-Za-z0-9])(?i:jdbc):[{_PLAIN};]{{4,{_URL}}}{_LAST}",
            more=rf"[{_PLAIN};]*+",
            rest=REST,
            trimmed=_LATER,
            trigger=rf"(?i)jdbc:[{_PLAIN};]*(?:password|passwd|pwd)=|jdbc:oracle:",
            live=rf"(?i:{opening('jdbc:', f'[{_PLAIN};]*')})",
            max_length=MAX_LENGTH,
            check=lambda text, start, end: _tells(text, start, end) or _ORACLE.match(text, start, end) is not None,
        ),
    )


def _tells(text: str, start: int, end: int) -> bool:
    """Whether a password is there."""
    password = _PASSWORD.search(text, start, end)
    return password is not None and not (NO_PASSWORD.match(password[1]) or _CODE.match(password[1]))
