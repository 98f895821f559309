"""Secrets: where they come from, and nothing else, is what anybody sees of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from sentinel_core.config.files import Files

MAX_SECRET_BYTES = 64 * 1024

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_SECRET = re.compile(r"[A-Z][A-Z0-9_]*|[A-Za-z_-]{1,20}")
"""What looks like the name of a variable or a file; anything else may be the secret, in the place of its name."""
_MISPLACED = "the secret itself does not belong there"
REMEDY = 'write { env = "NAME" } or { file = "path" }'


class Secret:
    """A value that is never shown. `repr` and `str` print its source; only `reveal()` gives the text.

    `source` is an environment variable or a file, as `kind` says.
    """

    __slots__ = ("_text", "kind", "source")

    def __init__(self, text: str, source: str, kind: str = "env") -> None:
        self._text = text
        self.source = source
        self.kind = kind

    def reveal(self) -> str:
        """The secret itself. Hand it to the one client that needs it; never to a log or a message."""
        return self._text

    @property
    def reference(self) -> dict[str, str]:
        """What a file says to mean this secret: `{ env = "NAME" }` or `{ file = "path" }`."""
        return {self.kind: self.source}

    def __repr__(self) -> str:
        return f"Secret({self.kind}={self.source})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._text, self.reference) == (other._text, other.reference)

    def __hash__(self) -> int:
        return hash((self._text, self.source))

    def __reduce__(self) -> NoReturn:
        # A pickle would carry the text to wherever pickles go; a new process loads its configuration anew.
        raise TypeError("a Secret cannot be pickled or copied")


class UnreadableSecret(Exception):
    """A reference leads nowhere. The text names the reference, never a value."""


class SecretReader:
    """Resolves references against one environment and one folder. Shows neither."""

    __slots__ = ("_environ", "_files", "_folder")

    def __init__(self, environ: Mapping[str, str], folder: Path, files: Files | None = None) -> None:
        self._environ = environ
        self._folder = folder
        self._files = files or Files()

    def read(self, reference: Mapping[str, object]) -> Secret:
        """The secret behind `{ env = "NAME" }` or `{ file = "path" }`. Raises `UnreadableSecret`.

        A relative path starts at the configuration file's folder; a final line break is not part of the secret.
        """
        match dict(reference):
            case {"env": str(name), **rest} if not rest:
                return Secret(self._variable(name), name)
            case {"file": str(path), **rest} if not rest:
                return Secret(self._file(path), path, "file")
        raise UnreadableSecret("not a reference to a secret")

    def _variable(self, name: str) -> str:
        if not _VARIABLE.fullmatch(name):  # it may be the secret itself, which nobody is to see
            raise UnreadableSecret(f"what env names is not the name of a variable; {_MISPLACED}")
        if name not in self._environ:
            if not _NO_SECRET.fullmatch(name):
                raise UnreadableSecret(f"the environment variable that env names is not set; {_MISPLACED}")
            raise UnreadableSecret(f"environment variable {name!r} is not set")
        if not self._environ[name].strip():
            raise UnreadableSecret(f"environment variable {name!r} is empty")
        return self._environ[name]

    def _file(self, path: str) -> str:
        full = (self._folder / path).absolute()
        try:
            raw = self._files.read(self._folder / path, MAX_SECRET_BYTES + 1)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = getattr(error, "strerror", None) or "not a path"
            if isinstance(error, FileNotFoundError) and not (_NO_SECRET.fullmatch(path) or {*"/."} & {*path}):
                raise UnreadableSecret(f"what file names cannot be read: {reason}; {_MISPLACED}") from None
            raise UnreadableSecret(f"secret file {str(full)!r} cannot be read: {reason}") from None
        if len(raw) > MAX_SECRET_BYTES:
            raise UnreadableSecret(f"secret file {str(full)!r} is larger than {MAX_SECRET_BYTES} bytes")
        try:
            text = raw.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:  # its text would quote the bytes
            raise UnreadableSecret(f"secret file {str(full)!r} is not UTF-8 text") from None
        if not text.strip():
            raise UnreadableSecret(f"secret file {str(full)!r} is empty")
        return text
