"""How well structured personal data is found: recall per entity and locale, and what is found where nothing is.

    python -m benchmarks.pii_quality [--count 300] [--seed 1]

Values come from Faker, or are random digits that python-stdnum takes for a number of the kind; neither knows anything
of our patterns. They stand in a sentence of their language. One counts as found if a finding of its entity covers all
of it. As many texts that only look like values (timestamps, IMEIs, tracking numbers, versions, UUIDs, order numbers;
dates and versions behind `call`; what tools print: files, processes, columns of figures, packages; postal codes) tell
what is found wrongly. Needs the `dev` extra; prints tables of Markdown.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from faker import Faker
from stdnum.de import idnr
from stdnum.gb import nhs

from sentinel_plugins.guarding.entities import structured_pii
from sentinel_plugins.guarding.scanner import Scanner

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT")
SENTENCES = {
    "en": ("You can use {} for this.", "{} is what I have.", "I was given {}, please check."),
    "de": ("Bitte nehmen Sie {} dafür.", "{} habe ich notiert.", "Es handelt sich um {}, danke."),
    "fr": ("Utilisez {} pour cela.", "{} est ce que j'ai.", "Voici {}, merci de vérifier."),
    "es": ("Puede usar {} para esto.", "{} es lo que tengo.", "Le envío {}, gracias."),
    "it": ("Usi {} per questo.", "{} è quello che ho.", "Le invio {}, grazie."),
}
LABELS = {
    "PHONE_NUMBER": {"en": "call ", "de": "Tel. ", "fr": "tél. ", "es": "teléfono ", "it": "tel. "},
    "DATE_OF_BIRTH": {"en": "born on ", "de": "geboren am ", "fr": "né le ", "es": "nacido el ", "it": "nato il "},
}
"""Words that stand before values which only such words give away."""
UNDIVIDED = {"UK_NHS": "NHS number ", "DE_TAX_ID": "Steuer-ID "}
"""The same for values that need them only where nothing divides their digits."""
DATES = {"en": "%B %d, %Y", "de": "%d.%m.%Y", "fr": "%d/%m/%Y", "es": "%d/%m/%Y", "it": "%d/%m/%Y"}
SCANNER = Scanner(structured_pii())


def generators(fake: Any, locale: str) -> dict[str, Callable[[], str]]:  # its methods are found at run time
    """What Faker can make for a locale."""
    made: dict[str, Callable[[], str]] = {
        "EMAIL_ADDRESS": fake.email,
        "PHONE_NUMBER": fake.phone_number,
        "CREDIT_CARD": lambda: printed(fake.credit_card_number()),
        "IP_ADDRESS": lambda: random.choice((fake.ipv4_public, fake.ipv4_private, fake.ipv6))(),
        "IBAN_CODE": fake.iban,
        "DATE_OF_BIRTH": lambda: fake.date_of_birth().strftime(DATES[locale[:2]]),
    }
    national: dict[str, tuple[str, Callable[[], str]]] = {
        "en_US": ("US_SSN", fake.ssn),
        "es_ES": ("ES_NIF", getattr(fake, "nif", fake.ssn)),
        "it_IT": ("IT_FISCAL_CODE", fake.ssn),
        "fr_FR": ("FR_INSEE", fake.ssn),
        "en_GB": ("UK_NHS", lambda: written(number(10, nhs), nhs)),
        "de_DE": ("DE_TAX_ID", lambda: written(number(11, idnr), idnr)),
    }
    name, make = national[locale]
    return {**made, name: make}


def number(count: int, kind: Any) -> str:  # a module of python-stdnum
    """So many random digits that are a number of this kind."""
    while not kind.is_valid(drawn := digits(count)):
        pass
    return drawn


def written(value: str, kind: Any) -> str:  # a module of python-stdnum
    """With its digits divided, or as they are."""
    return str(kind.format(value)) if random.random() < 0.5 else value


def printed(card: str) -> str:
    """As it stands on a card, or undivided: American Express and Diners Club have three groups, all others fours.
    https://github.com/braintree/credit-card-type"""
    if random.random() < 0.5:
        return card
    gaps = (4, 10) if len(card) in (14, 15) else (4, 8, 12)
    return " ".join(card[start:end] for start, end in pairwise((0, *gaps, len(card))) if start < len(card))


def digits(count: int) -> str:
    """So many of them."""
    return "".join(random.choices("0123456789", k=count))


def looks_like() -> Iterator[Callable[[], str]]:
    """Makers of what is no personal data."""
    fake: Any = Faker("en_US")  # its methods are found at run time
    yield lambda: str(random.randrange(1_500_000_000, 1_900_000_000))
    yield lambda: str(random.randrange(1_500_000_000_000, 1_900_000_000_000))
    yield lambda: "35" + digits(13)
    yield lambda: "1Z" + "".join(random.choices("0123456789ABCDEFGHJKLMNPRSTVWXY", k=16))
    yield lambda: "94" + digits(20)
    yield lambda: ".".join(str(random.randrange(30)) for _ in range(3))
    yield lambda: "v" + ".".join(str(random.randrange(200)) for _ in range(4))
    yield fake.uuid4
    yield lambda: f"{digits(3)}-{digits(7)}-{digits(7)}"
    yield lambda: f"ORD-{digits(8)}"
    yield lambda: fake.date_time().isoformat()
    yield lambda: fake.sha1()
    yield lambda: f"{random.randrange(1, 999)},{digits(3)}.{digits(2)}"
    yield lambda: fake.isbn13()
    yield lambda: fake.mac_address()
    yield lambda: f"{random.uniform(0, 1)}"
    yield lambda: f"call {fake.date()}"
    yield lambda: f"call v{random.randrange(9)}.{random.randrange(30)}.{random.randrange(30)}"
    yield lambda: f"call 00{digits(4)}"
    yield lambda: f"text {fake.date_time().strftime('%H:%M:%S')}"
    yield from what_tools_print(fake)


def what_tools_print(fake: Any) -> Iterator[Callable[[], str]]:  # its methods are found at run time
    """Makers of lines as `ls`, `tar`, `ps`, `pip` and others write them."""
    number, real = random.randrange, random.uniform

    def long_iso() -> str:
        return f"{number(10, 99_999):>9} {fake.date_time().strftime('%Y-%m-%d %H:%M')} {fake.file_name()}"

    yield lambda: f"-rw-r--r-- 1 root root {long_iso()}"
    yield lambda: f"-rw-r--r-- root/root {long_iso()}"
    yield lambda: f"root {number(99_999):>7} {real(0, 99):.1f} {real(0, 9):.1f} {number(999_999):>6} {number(99_999)} ?"
    yield lambda: f"{number(9)}: 0100007F:{number(65_536):04X} 06 00000000:00000000 03:{number(9_999):08X}"
    yield lambda: "  ".join(f"{real(0, 99):.4f}" for _ in range(5))
    yield lambda: " ".join(f"{number(100_000):>6}" for _ in range(6))
    yield lambda: f"[{' '.join(str(number(100_000)) for _ in range(4))}]"
    yield lambda: " ".join(f"{number(256):02x}" for _ in range(16))
    yield lambda: f"{real(-90, 90):.6f}, {real(-180, 180):.6f}"
    yield lambda: f"POINT({real(-90, 90):.5f} {real(-180, 180):.5f})"
    yield lambda: f"rgb({number(256)} {number(256)} {number(256)} / {number(100)}%)"
    yield lambda: f"pages {number(99_999)} - {number(99_999)}"
    yield lambda: f"{fake.city()}, {fake.state_abbr()} {fake.zipcode_plus4()}"
    yield lambda: f"{fake.domain_word()}=={number(30)}.{number(30)}.{number(30)}.{number(100)}"
    yield lambda: f"{fake.domain_word()}-{number(30)}.{number(30)}.{number(30)}.{number(100)}.tar.gz"


def recall(name: str, make: Callable[[], str], locale: str, count: int) -> tuple[float, list[str]]:
    """The share of values that are found, and some that are not."""
    label = LABELS.get(name, {}).get(locale[:2], "")
    missed = []
    for _ in range(count):
        value = make()
        words = UNDIVIDED.get(name, label) if value.isdigit() else label
        text = random.choice(SENTENCES[locale[:2]]).format(words + value)
        start = text.index(value)
        end = start + len(value)
        found = [one for one in SCANNER.find(text) if one.entity == name]
        if not any(one.start <= start and end <= one.end for one in found):
            missed.append(value)
    return 1 - len(missed) / count, missed[:3]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="values per entity and locale")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    Faker.seed(args.seed)
    print("| entity | locale | recall | missed, for instance |\n| --- | --- | --- | --- |")
    for locale in LOCALES:
        for name, make in generators(Faker(locale), locale).items():
            share, missed = recall(name, make, locale, args.count)
            print(f"| `{name}` | {locale} | {share:.3f} | {', '.join(missed)} |")
    wrong: Counter[str] = Counter()
    shown: list[str] = []
    makers = list(looks_like())
    for number in range(args.count * len(makers)):
        text = f"It is {makers[number % len(makers)]()}, as it says."
        for one in SCANNER.find(text):
            wrong[one.entity] += 1
            shown.append(f"{one.entity} {text[one.start : one.end]}")
    print(f"\n{args.count * len(makers)} texts without personal data: {sum(wrong.values())} findings. {dict(wrong)}")
    print(", ".join(shown[:12]))


if __name__ == "__main__":
    main()
