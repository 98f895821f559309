"""Presidio itself, with its model: what it recognises, that it asks nobody, and its opinion of our own patterns."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sentinel_core.testing import FakeProvider
from sentinel_plugins.guarding.entities import structured_pii
from sentinel_plugins.guarding.presidio.model import OFFICIAL, is_forged
from sentinel_plugins.guarding.presidio.pool import Pool, PoolPlan
from sentinel_plugins.guarding.presidio.process import COMMAND, RecogniserFailed
from sentinel_plugins.guarding.presidio.wire import Span, Start
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.pii.names.config import NerConfig
from tests.loops import Loop
from tests.plugins.guarding.guards import guards, sent
from tests.plugins.guarding.samples import PERSONAL

MODEL = NerConfig().model
SHARED = ("CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "US_SSN")
"""Kinds that Presidio and our own patterns both know. Phone numbers are left out: it takes every time stamp for one."""
Ask: TypeAlias = Callable[[Sequence[str]], list[list[Span]]]

installed = pytest.mark.skipif(
    find_spec("presidio_analyzer") is None or find_spec(MODEL) is None,
    reason="needs the extra `pii`, which is large: pip install -e '.[pii]'",
)


def plan(*entities: str, model: str = MODEL) -> PoolPlan:
    return PoolPlan(Start(model, "en", entities, 0.4), 1, 1_000_000, 120.0, COMMAND)


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """One process for the whole module: it takes seconds to start."""
    with Loop() as loop:
        stack = AsyncExitStack()
        pool = loop.run(stack.enter_async_context(Pool.opened(plan("PERSON", "LOCATION", *SHARED))))
        try:
            yield lambda texts: loop.run(pool.ask(texts))
        finally:
            loop.run(stack.aclose())


@installed
def test_plain_names_and_places_are_recognised(ask: Ask) -> None:
    texts = ["My name is John Smith and I live in Berlin.", "Maria Garcia flew from Paris to Chicago.", "Nobody, 12."]
    found = [
        [(text[start:end], name) for start, end, name in spans] for text, spans in zip(texts, ask(texts), strict=True)
    ]
    assert found == [
        [("John Smith", "PERSON"), ("Berlin", "LOCATION")],
        [("Maria Garcia", "PERSON"), ("Paris", "LOCATION"), ("Chicago", "LOCATION")],
        [],
    ]


@installed
def test_it_asks_nobody_what_a_domain_is(ask: Ask) -> None:
    """tldextract would fetch publicsuffix.org at its first use; the process may not even look a name up."""
    assert ask(["write to ann@acme.co.uk"]) == [[(9, 23, "EMAIL_ADDRESS")]]


def written(count: int) -> Iterator[tuple[str, str]]:
    """Values, each in a sentence: those of our samples, and such as Faker makes."""
    faker: Any = pytest.importorskip("faker").Faker(["en_US", "de_DE", "fr_FR"])  # Any: methods are found at run time
    faker.seed_instance(7)
    choose = random.Random(7)
    makers = {
        "CREDIT_CARD": faker.credit_card_number,
        "EMAIL_ADDRESS": faker.email,
        "IBAN_CODE": faker.iban,
        "IP_ADDRESS": lambda: choose.choice((faker.ipv4_public, faker.ipv4_private, faker.ipv6))(),
        "US_SSN": faker["en_US"].ssn,
    }
    sentences = ("You can use {} for this.", "{} is what I have.", "I was given {}, please check.")
    for name, make in makers.items():
        for value in (*PERSONAL[name], *(make() for _ in range(count))):
            yield name, choose.choice(sentences).format(value)


@installed
def test_whatever_presidio_finds_of_our_kinds_is_found_by_our_patterns(ask: Ask) -> None:
    """A second oracle, written by others. That it finds most of them shows that it looked."""
    scanner = Scanner(structured_pii())
    names, texts = zip(*written(40), strict=True)
    agreed = 0
    for name, text, spans in zip(names, texts, ask(texts), strict=True):
        ours = [(one.start, one.end) for one in scanner.find(text) if one.entity == name]
        for start, end, entity in spans:
            if entity == name:
                assert any(first <= start and end <= last for first, last in ours), text
                agreed += 1
    assert agreed > 0.7 * len(texts)


@installed
async def test_the_stage_asks_it_for_what_the_configuration_names() -> None:
    table = {"names": True, "recognisers": ["US_PASSPORT"]}
    async with guards(FakeProvider(), pii=table) as chain:
        driven = await chain.ask("John Smith lives in Berlin, his US passport number is 912345678. Mail ann@acme.com")
        assert sent(driven) == (
            "[PERSON] lives in Berlin, his US passport number is [US_PASSPORT]. Mail [EMAIL_ADDRESS]"
        )


@installed
@pytest.mark.parametrize(
    ("entity", "model", "key", "reason"),
    [
        ("NO_SUCH", MODEL, "recognisers", "does not recognise NO_SUCH; known are"),
        ("PERSON", "xx_no_such", "ner.model", "no model 'xx_no_such' is installed"),
    ],
)
async def test_what_it_cannot_do_is_said_at_the_start(entity: str, model: str, key: str, reason: str) -> None:
    with pytest.raises(RecogniserFailed, match=reason) as failure:
        async with Pool.opened(plan(entity, model=model)):
            pytest.fail("it opened")
    assert failure.value.key == key


@installed
def test_the_installed_model_is_the_official_one() -> None:
    spec = find_spec(MODEL)
    assert spec is not None
    assert spec.origin is not None
    (folder,) = (path.parent for path in Path(spec.origin).parent.glob("*/config.cfg"))
    assert not is_forged(MODEL, folder)


def test_a_model_with_another_file_is_forged(tmp_path: Path) -> None:
    for name in OFFICIAL[MODEL]:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"weights of somebody else")
    assert is_forged(MODEL, tmp_path)
    assert not is_forged("a model of which nothing is known", tmp_path)


async def test_the_gateway_itself_imports_nothing_of_it() -> None:
    check = "import sys, sentinel_plugins.pii; sys.exit(bool({'presidio_analyzer', 'spacy', 'numpy'} & {*sys.modules}))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", check)
    assert await process.wait() == 0
