"""What it costs to look for personal data, secrets and injections: µs per KB of text, and what it costs a gateway.

    python -m benchmarks.guards [--part texts|slow|chain|gateway] [--quick] [--check] > guards.json

All entities at once, on plain text (`scan`) and with every view of it (`read`); ASCII and not, 1 KB and 8 KB, with and
without a value in each KB; then texts made to be slow, of one length and of twice that. In process, interleaved rounds.
Then the events of a stream in the chain alone, and a gateway with guards beside one without. Targets: at most 30 µs per
KB of ASCII where nothing is found, 150 with values or without ASCII; 200 for injections, but where nobody knows a word;
at most 2.3 times the time for twice the text; 0.7 of the requests per second with all guards, 15 µs more for an event
of a stream.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from string import ascii_lowercase

from benchmarks.harness import guarded, report
from benchmarks.harness.rounds import Metrics, interleave
from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.replacing import redacted
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.transducer import Transducer
from sentinel_plugins.guarding.views import Reader
from sentinel_plugins.guarding.written import PlainText
from sentinel_plugins.injection.scorer import shipped_scorer

KB = 1024
EMPTY_LIMIT_US, LIMIT_US, INJECTION_LIMIT_US = 30.0, 150.0, 200.0
GROWTH_LIMIT = 2.3
TEXT_S = 0.02
"""How long one text is looked at, over and over."""

PROSE: dict[str, tuple[str, str]] = {
    "english": (
        "The meeting is on Tuesday, and nobody has read the report yet. Anna wants the numbers of the last quarter "
        "beside those of this one, sorted by region, and a short note on why the warehouse in the north was late. "
        "Bring two copies, since the printer on the third floor is broken again. If the train is delayed, begin "
        "without me: the slides are in the shared folder, and the questions of the board stand on the last page. ",
        "Write to bob@acme.com. ",
    ),
    "code": (
        "def fetched(name: str, timeout: float = 5.0) -> bytes:\n"
        "    response = session.get(BASE + name, timeout=timeout)\n"
        '    if response.status_code >= 400:\n        raise Failed(f"{name}: {reason}")\n'
        "    cache[name] = response.content  # until the next release\n    return response.content\n\n\n",
        'KEY = "AKIAIOSFODNN7EXAMPLE"\n',
    ),
    "french": (
        "Où est passé le café ? Il était déjà là à côté de l'entrée. Ma voisine prétend que le chat l'a renversé hier "
        "soir, pendant que nous regardions le match, mais je n'y crois guère. Demain, il faudra racheter du pain, des "
        "œufs et une ampoule pour la cuisine ; le marché ferme à treize heures. N'oublie pas le garagiste : la voiture "
        "fait un bruit étrange dès qu'on freine, et nous partons samedi à la montagne avec les enfants. ",
        "Appelez le 06 12 34 56 78. ",
    ),
    "russian": (
        "Съешь же ещё этих мягких французских булок, да выпей чаю. Завтра утром приедет бабушка, и нужно успеть "
        "прибрать комнату, вымыть окна и купить цветы. Сосед обещал одолжить лестницу, но уехал на дачу и вернётся "
        "только в среду. Дети просили рассказать сказку про медведя, который боялся темноты, но никто её не помнит. ",
        "Пишите: bob@acme.com. ",
    ),
    "chinese": (
        "会议在星期二举行。还没有人读过这份报告。请大家提前准备好材料。周末我们打算去山里散步。天气好的话。还可以在湖边吃"
        "午饭。小王负责买水果和面包。小李带相机。别忘了把门锁好。猫粮放在厨房的柜子里。",
        "请写信到bob@acme.com。",
    ),
    "chinese technical": (
        "用Docker部署服务时，需要先安装Kubernetes（K8s）集群，再用Helm（v3）安装应用。配置文件：config.yaml。日志级别：INFO；"  # noqa: RUF001
        "超时：30秒。会议定在2024年3月15日14:30（3号楼502室），请把报告（第2版）发到群里。QPS达到5000左右。",  # noqa: RUF001
        "电话：（415）555－2671。",  # noqa: RUF001
    ),
}
"""A few sentences, and one with a value."""
NOBODY_KNOWS = "words nobody knows, 1 KB"
INVENTED = 400
"""Texts of words that are new each time: more words than a model remembers."""

SLOW: dict[str, str] = {
    "digits": "1",
    "digits and spaces": "12 ",
    "grouped digits": "0123 456-",
    "letters": "a",
    "addresses": "a@a.",
    "dots": "a.a-",
    "hexadecimal and colons": "abcd:",
    "octets": "1.2.",
    "keys": "sk-ant-",
    "urls": "a://b:c@",
    "token": "eyJ.",
    "private keys": "-----BEGIN PRIVATE KEY-----",
    "labels": "password: token ",
    "escapes": "%25",
    "tokens": "QUJDREVGR0hJSktM/",
    "unseen": "a\u200b",
    "births": "born 1 may ",
}
"""What is repeated. Triggers of everything stand in front of it, so that every entity looks."""
TRIGGERS = (
    "born a@b.co AKIAAAAA eyJabcdefghijk token ://a:b@ DE8937040044053201 2001:db8:: 1.2.3.4 4111 1111 1111 1111 "
)

SCANNER = Scanner((*structured_pii(), *secrets()))
READER = Reader(SCANNER)
SCORER = shipped_scorer()


def filled(sentences: str, value: str, kilobytes: int) -> str:
    """So many KB of UTF-8, with a value in each of them if there is one."""
    kilobyte = value + sentences * (1 + KB // len(sentences.encode()))
    while len(kilobyte.encode()) > KB:
        kilobyte = kilobyte[:-1]
    return kilobyte * kilobytes


def texts() -> dict[str, str]:
    """Every text that is measured, by name."""
    named: dict[str, str] = {}
    for language, (sentences, value) in PROSE.items():
        for kilobytes in (1, 8):
            named[f"{language} {kilobytes} KB"] = filled(sentences, "", kilobytes)
            named[f"{language} {kilobytes} KB, values"] = filled(sentences, value, kilobytes)
    return named


def per_call_us(call: Callable[[], object], seconds: float) -> float:
    """The mean of as many calls as fit."""
    calls, started = 0, time.perf_counter()
    while (now := time.perf_counter()) - started < seconds or calls == 0:
        call()
        calls += 1
    return (now - started) / calls * 1e6


async def measure(text: str) -> Metrics:
    """One text, whole, and as a stream of four characters an event."""
    kilobytes = len(text.encode()) / KB
    events = [text[at : at + 4] for at in range(0, min(KB, len(text)), 4)]
    return {
        "scan_us_per_kb": per_call_us(lambda: SCANNER.find(text), TEXT_S) / kilobytes,
        "read_us_per_kb": per_call_us(lambda: READER.find(text), TEXT_S) / kilobytes,
        "event_us": per_call_us(lambda: streamed(events), TEXT_S) / len(events),
        "injection_us_per_kb": per_call_us(lambda: SCORER.score(text), TEXT_S) / kilobytes,
    }


def invented(random: Random) -> str:
    """1 KB of words that no language has."""
    words = ("".join(random.choices(ascii_lowercase, k=random.randint(2, 10))) for _ in range(KB))
    return " ".join(words)[:KB]


async def score_invented(texts: Sequence[str]) -> Metrics:
    """Each text once."""
    started = time.perf_counter()
    for text in texts:
        SCORER.score(text)
    return {"injection_us_per_kb": (time.perf_counter() - started) / len(texts) * 1e6}


def streamed(events: Sequence[str]) -> None:
    """A stream through what replaces values."""
    text = PlainText(Transducer(READER, lambda _: 1, lambda cluster, value: redacted(cluster.first, value)))
    for event in events:
        text.feed(event)
    text.feed("", end=True)


async def grow(part: str) -> Metrics:
    """A text made to be slow, and twice as much of it."""
    count = 16 * KB // len(part)
    once, twice = TRIGGERS + part * count, TRIGGERS + part * (2 * count)
    shorter = per_call_us(lambda: READER.find(once), TEXT_S)
    return {
        "read_us_per_kb": shorter / (len(once.encode()) / KB),
        "twice_over_once": per_call_us(lambda: READER.find(twice), TEXT_S) / shorter,
    }


def compare(results: Mapping[str, Mapping[str, float]]) -> list[report.Check]:
    """With the targets."""
    checks = []
    for name, row in results.items():
        if "twice_over_once" in row:
            checks.append(report.at_most(f"{name}: t(2n)/t(n)", row["twice_over_once"], GROWTH_LIMIT))
            continue
        if name == NOBODY_KNOWS:
            continue  # each of them is taken to pieces: it is told, and has no target
        plain = name.split()[0] in ("english", "code") and "values" not in name
        checks.append(
            report.at_most(f"{name}: us per KB", row["read_us_per_kb"], EMPTY_LIMIT_US if plain else LIMIT_US)
        )
        name = f"{name}: us per KB for injections"
        checks.append(report.at_most(name, row["injection_us_per_kb"], INJECTION_LIMIT_US))
    return checks


def main() -> None:
    """The command line."""
    parser = report.arguments(__doc__, rounds=7)
    parser.add_argument("--part", choices=("texts", "slow", "chain", "gateway"), action="append", help="default: all")
    args = report.parse(parser)
    parts = args.part or ("texts", "slow", "chain", "gateway")
    named = texts()
    slow = {f"slow: {name}": part for name, part in SLOW.items()}
    out = report.Report("guards", vars(args))
    if "texts" in parts:
        out.add(asyncio.run(interleave(list(named), args.rounds, lambda name: measure(named[name]))))
        strange = [invented(Random(number)) for number in range(INVENTED)]
        out.add(asyncio.run(interleave([NOBODY_KNOWS], args.rounds, lambda _: score_invented(strange))))
    if "slow" in parts:
        out.add(asyncio.run(interleave(list(slow), args.rounds, lambda name: grow(slow[name]))))
    if args.check:
        out.checks = compare(out.results)
    if "chain" in parts:
        guarded.measure_chain(out, args.rounds, args.seconds, check=args.check)
    if "gateway" in parts:
        guarded.measure(out, args.rounds, args.seconds, check=args.check)
    out.emit()


if __name__ == "__main__":
    main()
