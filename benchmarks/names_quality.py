"""How well names and places are recognised: what is found of those that are there, and what is found where none is.

    python -m benchmarks.names_quality [--count 300] [--seed 3] [--model NAME] [--language en]

Names and places come from Faker and stand in English sentences, cut as the stage cuts them. `whole`: a finding of the
right kind covers it; `touched`: one covers a part, which leaves the rest. Then texts in which there is nobody: prose of
this repository's documentation, and Python's own source code. Needs the extras `dev` and `pii`; prints tables of
Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from faker import Faker

from sentinel_plugins.guarding.presidio.pool import Pool, PoolPlan
from sentinel_plugins.guarding.presidio.process import COMMAND
from sentinel_plugins.guarding.presidio.wire import Span, Start
from sentinel_plugins.pii.names.config import NerConfig
from sentinel_plugins.pii.names.segments import Segments

LOCALES = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT")
OF_PEOPLE = (
    "My name is {}.",
    "Please tell {} that the meeting was moved to Friday.",
    "Dear {},\nthank you for your letter of last week.",
    "{} called about the invoice.",
    "I spoke with {} yesterday, and there was no objection.",
    "Patient: {}",
    "The contract was signed by {} in March.",
    "Is {} still working in your department?",
    "Regards,\n{}",
    "summarise what {} wrote about the budget",
)
OF_PLACES = (
    "I live in {}.",
    "The parcel was sent from {} on Tuesday.",
    "Our office in {} will be closed next week.",
    "Address: {}",
    "What is the weather like in {} today?",
    "They moved to {} two years ago.",
    "The meeting takes place in {}, as always.",
    "flights to {} in May",
)
BATCH = 500


class Case(NamedTuple):
    """A text with one value in it."""

    entity: str
    row: str
    text: str
    start: int
    end: int


def makers() -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Kinds of values: entity, row of the table, and what makes one."""
    fakes: dict[str, Any] = {locale: Faker(locale) for locale in LOCALES}  # Any: methods are found at run time
    for locale, fake in fakes.items():
        yield "PERSON", f"first and last name, {locale}", partial(full_name, fake)
    fake = fakes["en_US"]
    yield "PERSON", "first name, en_US", fake.first_name
    yield "PERSON", "last name, en_US", fake.last_name
    yield "PERSON", "first and last name in small letters, en_US", lambda: full_name(fake).lower()
    for locale in LOCALES:
        yield "LOCATION", f"city, {locale}", fakes[locale].city
    yield "LOCATION", "country", fake.country
    yield "LOCATION", "street and number, en_US", fake.street_address


def full_name(fake: Any) -> str:  # Any: as above
    """Without a title."""
    return f"{fake.first_name()} {fake.last_name()}"


def cases(count: int) -> Iterator[Case]:
    """So many of each kind."""
    for entity, row, make in makers():
        for number in range(count):
            sentences = OF_PEOPLE if entity == "PERSON" else OF_PLACES
            value = make()
            before, after = sentences[number % len(sentences)].split("{}")
            yield Case(entity, row, before + value + after, len(before), len(before) + len(value))


def prose() -> list[str]:
    """Sentences of the documentation, without code, tables and headings."""
    pages = sorted((Path(__file__).parent.parent / "docs").rglob("*.md"))
    plain = [re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL) for page in pages]
    paragraphs = [part.replace("\n", " ") for page in plain for part in page.split("\n\n") if part[:1].isalpha()]
    return [segment for part in paragraphs for segment in Segments().take(part, end=True) if len(segment) > 20]


def code() -> list[str]:
    """Lines of Python's asyncio."""
    folder = Path(sysconfig.get_path("stdlib"), "asyncio")
    lines = [line for path in sorted(folder.glob("*.py")) for line in path.read_text("utf-8").splitlines(keepends=True)]
    return [line for line in lines if line.strip()]


class Recognised:
    """Findings in whole texts, as the stage has them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """What is in each of them, segment by segment."""
        return [found for at in range(0, len(texts), BATCH) for found in await self._find(texts[at : at + BATCH])]

    async def _find(self, texts: Sequence[str]) -> list[list[Span]]:
        cut = [Segments().take(text, end=True) for text in texts]
        answers = iter(await self._pool.ask([segment for segments in cut for segment in segments]))
        found: list[list[Span]] = []
        for segments in cut:
            at, spans = 0, []
            for segment in segments:
                spans += [(at + start, at + end, entity) for start, end, entity in next(answers)]
                at += len(segment)
            found.append(spans)
        return found


async def values(recognised: Recognised, count: int) -> None:
    """The first table, and what was found beside the values."""
    whole, touched, all_, beside = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    right = Counter[str]()
    every = list(cases(count))
    for case, spans in zip(every, await recognised.find([case.text for case in every]), strict=True):
        own = [(start, end) for start, end, entity in spans if entity == case.entity]
        all_[case.row] += 1
        whole[case.row] += any(start <= case.start and case.end <= end for start, end in own)
        touched[case.row] += any(start < case.end and case.start < end for start, end in own)
        for start, end, entity in spans:
            hit = entity == case.entity and start < case.end and case.start < end
            (right if hit else beside)[entity] += 1
    print("| value | kind | whole | touched |\n| --- | --- | --- | --- |")
    for entity, row, _ in makers():
        print(f"| {row} | `{entity}` | {whole[row] / all_[row]:.2f} | {touched[row] / all_[row]:.2f} |")
    for entity in ("PERSON", "LOCATION"):
        share = right[entity] / (right[entity] + beside[entity])
        print(f"\nOf {right[entity] + beside[entity]} findings of `{entity}`, {share:.2f} were one.")


async def nobody(recognised: Recognised, count: int) -> None:
    """The second table."""
    print(
        "\n| text without people and places | pieces | with a `PERSON` | with a `LOCATION` |\n| --- | --- | --- | --- |"
    )
    for name, texts in (("documentation, sentences", prose()), ("source code, lines", code())):
        some = random.sample(texts, min(len(texts), 10 * count))
        found = await recognised.find(some)
        shares = [
            sum(any(span[2] == entity for span in spans) for spans in found) / len(some)
            for entity in ("PERSON", "LOCATION")
        ]
        print(f"| {name} | {len(some)} | {shares[0]:.3f} | {shares[1]:.3f} |")


async def run(args: argparse.Namespace) -> None:
    """Everything."""
    start = Start(args.model, args.language, ("PERSON", "LOCATION"), NerConfig().min_score)
    async with Pool.opened(PoolPlan(start, 1, 10_000_000, 3_600.0, COMMAND)) as pool:
        recognised = Recognised(pool)
        await values(recognised, args.count)
        await nobody(recognised, args.count)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="values of each kind")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--model", default=NerConfig().model)
    parser.add_argument("--language", default="en")
    args = parser.parse_args()
    random.seed(args.seed)
    Faker.seed(args.seed)
    asyncio.run(run(args))


if __name__ == "__main__":
    main()
