"""What `[stages.acme_words]` may say."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sentinel_core.stage import StageConfig

Word = Annotated[str, Meta(min_length=1)]


class AcmeWordsConfig(StageConfig, frozen=True, kw_only=True):
    """`words` are replaced by `mask` wherever they appear, in any case, also inside of longer words.

    No word may share a character with the mask: a masked text must not contain a word again.
    """

    words: tuple[Word, ...]
    mask: str = "▇▇▇"

    def __post_init__(self) -> None:
        for word in self.words:
            if set(word.lower()) & set(self.mask.lower()):
                raise ValueError(f"the mask {self.mask!r} shares a character with the word {word!r}")
