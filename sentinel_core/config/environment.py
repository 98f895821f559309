"""The environment as one mapping: the process's own variables over those of a `.env` file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sentinel_core.config.document import Origin
from sentinel_core.config.dotenv import read_env_file
from sentinel_core.config.files import Files
from sentinel_core.errors import ConfigProblem

OVERRIDE = "SENTINEL__"
"""What the name of a variable begins with that sets one key, or one table, above everything else."""


class Environment(Mapping[str, str]):
    """Variables by name. Its `repr` shows none: many are secrets."""

    def __init__(self, process: Mapping[str, str], env_file: Path | None = None, files: Files | None = None) -> None:
        self._process = dict(process)
        self._file: dict[str, str] = {}
        self._file_name = env_file.name if env_file else ""
        self.problems: list[ConfigProblem] = []
        if env_file is not None:
            self._file, self.problems = read_env_file(env_file, files)

    def __getitem__(self, name: str) -> str:
        return self._process[name] if name in self._process else self._file[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._file, **self._process})

    def __len__(self) -> int:
        return len(self._file.keys() | self._process.keys())

    def __repr__(self) -> str:
        return f"Environment({len(self)} variables)"

    def origin(self, name: str) -> Origin:
        """Where a variable was set."""
        return Origin("environment", name, "" if name in self._process else self._file_name)
