"""OpenAI's two encodings, from the files beside this module.

The patterns and the special tokens are those of `tiktoken_ext.openai_public`, whose functions would download the ranks;
a test compares them.
"""

from __future__ import annotations

import gzip
from base64 import b64decode
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from tiktoken import Encoding

Name: TypeAlias = Literal["cl100k_base", "o200k_base"]

DATA = Path(__file__).with_name("data")


class Recipe(NamedTuple):
    """What an encoding is made of, beside its ranks."""

    pattern: str
    special: dict[str, int]


_O200K_ENDS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_O200K = (
    rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]*[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]+{_O200K_ENDS}",
    rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}]+[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]*{_O200K_ENDS}",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"\s*[\r\n]+",
    r"\s+(?!\S)",
    r"\s+",
)
_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)",
    r"[^\r\n\p{L}\p{N}]?+\p{L}++",
    r"\p{N}{1,3}+",
    r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
    r"\s++$",
    r"\s*[\r\n]",
    r"\s+(?!\S)",
    r"\s",
)
_FILLS = {"<|fim_prefix|>": 100258, "<|fim_middle|>": 100259, "<|fim_suffix|>": 100260}

RECIPES: dict[Name, Recipe] = {
    "o200k_base": Recipe("|".join(_O200K), {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}),
    "cl100k_base": Recipe("|".join(_CL100K), {"<|endoftext|>": 100257, **_FILLS, "<|endofprompt|>": 100276}),
}

_loading = Lock()
_loaded: dict[Name, Encoding] = {}


def present(name: Name) -> Encoding | None:
    """The encoding, if this process has it already."""
    return _loaded.get(name)


def load(name: Name) -> Encoding:
    """The encoding, read once per process: half a second and 90 MB. Call it from a thread."""
    with _loading:
        if name not in _loaded:
            from tiktoken import Encoding  # only here: most gateways never count

            recipe = RECIPES[name]
            _loaded[name] = Encoding(
                name=name, pat_str=recipe.pattern, mergeable_ranks=ranks(name), special_tokens=recipe.special
            )
        return _loaded[name]


def ranks(name: Name) -> dict[bytes, int]:
    """The merged tokens of an encoding with their ranks."""
    with gzip.open(DATA / f"{name}.tiktoken.gz") as lines:
        return {b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}


@lru_cache(maxsize=1024)  # clients choose names where a provider takes any
def encoding_of(model: str) -> tuple[Name, bool]:
    """The encoding of a model, and whether it is really the model's; others are counted with the newest one."""
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model.rsplit("/", 1)[-1])
    except KeyError:
        return "o200k_base", False
    if name == "cl100k_base":
        return "cl100k_base", True
    return "o200k_base", name in ("o200k_base", "o200k_harmony")
