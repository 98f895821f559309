"""What installing `acme-guard` and four lines of TOML do; run by the Python that has the two wheels."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from sentinel_core.events import TextDelta
from sentinel_core.gateway import Gateway

GUARD = """
[stages.acme_words]
words = ["Rosebud", "Xanadu"]
mask = "▇▇▇"
on_fault = "closed"
"""
ECHO = "[providers.echo]\n"
QUESTION = {"model": "echo", "messages": [{"role": "user", "content": "Rosebud in Xanadu"}]}


def sentinel(command: str, config: Path) -> tuple[int, str]:
    """Exit code and output of the installed script."""
    script = Path(sys.executable).with_name("sentinel")
    done = subprocess.run([script, command, "--config", config], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


async def said(config: Path) -> tuple[str, str]:
    """The answer's text, whole and streamed."""
    async with Gateway.load(config, environ={}) as gateway:
        answer = await gateway.complete(QUESTION)
        async with gateway.stream(QUESTION) as events:
            streamed = "".join([event.text async for event in events if isinstance(event, TextDelta)])
        return answer.body["choices"][0]["message"]["content"], streamed


def check(true: bool, what: str) -> None:
    """Say what holds; stop at what does not."""
    print(f"{'ok' if true else 'NOT TRUE'}: {what}")
    if not true:
        raise SystemExit(1)


def main(folder: Path) -> None:
    """In the chain with the lines, out of it without them, refused with a typo."""
    config = folder / "sentinel.toml"
    config.write_text(ECHO + GUARD, "utf-8")
    check("acme_words" in sentinel("chain", config)[1], "four lines put the guard into the chain")
    check(all("Rosebud" not in text and "▇▇▇" in text for text in asyncio.run(said(config))), "it masks, streams too")
    config.write_text(ECHO, "utf-8")
    check("acme_words" not in sentinel("chain", config)[1], "without them it is gone")
    check(all("Rosebud" in text for text in asyncio.run(said(config))), "and masks nothing")
    config.write_text(ECHO + GUARD.replace("words =", "wrods ="), "utf-8")
    code, output = sentinel("check", config)
    told = all(word in output for word in ("sentinel.toml", "stages.acme_words", "wrods", "words"))
    check(code == 2 and told, "a typo is refused with file, table, key and suggestion")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
