"""Services are asked for by typed names, whoever brings them."""

from __future__ import annotations

from sentinel_core.config import ServerSettings
from sentinel_core.services import SERVER, ServiceKey
from sentinel_core.testing import fake_services


class Words:
    """A service that is empty when it is made."""

    def __len__(self) -> int:
        return 0


WORDS: ServiceKey[Words] = ServiceKey("acme_words")


async def test_a_service_that_is_there_is_found_also_while_it_is_empty() -> None:
    words = Words()
    async with fake_services(acme_words=words) as services:
        assert services.find(WORDS) is words
        assert services.find(WORDS, Words) is words


async def test_one_that_nobody_brings_is_made_or_none() -> None:
    async with fake_services() as services:
        assert services.find(WORDS) is None
        assert isinstance(services.find(WORDS, Words), Words)
        assert services.find(SERVER, ServerSettings) == ServerSettings()


async def test_keys_of_one_name_are_one_service() -> None:
    words = Words()
    seen: ServiceKey[object] = ServiceKey(WORDS)
    async with fake_services(acme_words=words) as services:
        assert services.find(seen) is words
