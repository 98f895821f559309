"""A process that recognises without a model: a few names, and whatever a test wants to go wrong.

It is the real one but for its engine, which knows `Ann Smith`, `Bob` and `Paris`, and does what these words say.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Sequence

from sentinel_plugins.guarding.presidio.engine import Unusable
from sentinel_plugins.guarding.presidio.wire import Span, Start
from sentinel_plugins.guarding.presidio.worker import serve

COMMAND = (sys.executable, "-m", "tests.plugins.guarding.presidio.stand_in")
CRASH, HANG, FAIL, DIAL, SHOUT, ENVIRONMENT, BABBLE = (
    "crash!",
    "hang!",
    "fail!",
    "dial!",
    "shout!",
    "environment!",
    "babble!",
)
UNUSABLE, BROKEN = "no_such_model", "broken_model"
_KNOWN = {"PERSON": re.compile(r"\bAnn Smith\b|\bBob\b"), "LOCATION": re.compile(r"\bParis\b")}


class StandIn:
    """Finds what it knows."""

    def __init__(self, start: Start) -> None:
        if start.model == UNUSABLE:
            raise Unusable("no model of that name is installed", "ner.model")
        if start.model == BROKEN:
            raise RuntimeError("it quotes Ann Smith")
        self._entities = start.entities

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        return [self._spans(text) for text in texts]

    def _spans(self, text: str) -> list[Span]:
        if CRASH in text:
            os._exit(3)
        if HANG in text:
            time.sleep(600)
        if FAIL in text:
            raise RuntimeError(f"cannot read {text}")
        if DIAL in text:
            socket.create_connection(("127.0.0.1", 9))
        if SHOUT in text:
            print(text, flush=True)
        if BABBLE in text:
            return [("no place",)]  # type: ignore[list-item]  # what a broken one might send
        if ENVIRONMENT in text:
            return [(0, 0, name) for name in os.environ]
        found = [(*match.span(), entity) for entity in self._entities for match in _KNOWN[entity].finditer(text)]
        return sorted(found)


if __name__ == "__main__":
    serve(StandIn)
