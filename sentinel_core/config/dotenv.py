"""A strict reader of `.env` files: `NAME=value` lines, nothing that needs a shell."""

from __future__ import annotations

import re
from io import BytesIO, TextIOWrapper
from pathlib import Path

from sentinel_core.config.files import Files
from sentinel_core.errors import ConfigProblem

_LINE = re.compile(
    r"""(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*
    (?: '(?P<raw>[^']*)' | "(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<bare>(?:[^'"\s\#]\S*(?:\s+[^\s\#]\S*)*)?) )
    (?:\s+\#.*)?""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def read_env_file(path: Path, files: Files | None = None) -> tuple[dict[str, str], list[ConfigProblem]]:
    """The variables of a `.env` file and what is wrong with it. A problem names the line, never its text.

    One `NAME=value` a line, `export` allowed, `#` comments after white space. 'Single quotes' are literal,
    "double quotes" know \\n, \\r, \\t, \\" and \\\\. Nothing is expanded: `$` is a plain character.
    """
    try:
        text = TextIOWrapper(BytesIO((files or Files()).read(path)), encoding="utf-8-sig").read()
    except OSError as error:
        return {}, [ConfigProblem(f"cannot be read: {error.strerror}", where=str(path))]
    except UnicodeDecodeError:
        return {}, [ConfigProblem("is not UTF-8 text", where=str(path))]
    variables: dict[str, str] = {}
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            problems.append(_problem(path, number, "not a NAME=value line", 'NAME=value, NAME="value" or # comment'))
        elif match["name"] in variables:
            problems.append(_problem(path, number, f"{match['name']} is set twice", "one line for each name"))
        else:
            variables[match["name"]] = _value(match)
    return variables, problems


def _value(match: re.Match[str]) -> str:
    if match["quoted"] is not None:
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), match["quoted"])
    return str(match["raw"] if match["raw"] is not None else match["bare"])


def _problem(path: Path, line: int, message: str, expected: str) -> ConfigProblem:
    return ConfigProblem(message, where=f"{path}, line {line}", expected=expected)
