"""The process that recognises: reads frames from its standard input, answers on its standard output, and ends with it.

It ends at once when the gateway is gone, however that went, because nobody holds the other end of its input any more.
It opens no connection to anywhere: tldextract is told not to, and the interpreter refuses.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import BinaryIO, Final, Protocol, TypeAlias

from sentinel_plugins.guarding.presidio.engine import Engine, Unusable
from sentinel_plugins.guarding.presidio.wire import (
    LENGTH_BYTES,
    Failed,
    Order,
    Ready,
    Report,
    Spans,
    Start,
    framed,
    order_of,
)

NICENESS: Final = 10
"""Recognising waits where others want the processor: the event loop of the gateway serves everybody."""
_NETWORK: Final = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")


class Finding(Protocol):
    """What an `Engine` does."""

    def find(self, texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
        """What is in each of the texts."""
        ...


Make: TypeAlias = Callable[[Start], Finding]


def serve(make: Make = Engine) -> None:
    """Answer every frame, until there are no more."""
    reports = _claimed_output()
    orders = _orders()
    _settle_in()
    start = next(orders)
    assert isinstance(start, Start)
    try:
        engine = make(start)
    except Unusable as error:
        _send(reports, Failed(str(error), error.key))
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the gateway must hear of it, and of no text
        _send(reports, Failed(_place(error)))
        return
    _send(reports, Ready())
    for order in orders:
        _send(reports, _answered(engine, order))


def _answered(engine: Finding, order: Order) -> Report:
    assert not isinstance(order, Start)
    try:
        return Spans(engine.find(order.texts))
    except Exception as error:  # noqa: BLE001 - of one job, and whatever it is: the next one may go well
        return Failed(_place(error))


def _place(error: BaseException) -> str:
    """Kind and place of an exception. Its message stays here: it may quote a text."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} ({frames[-1].filename}:{frames[-1].lineno})" if frames else type(error).__name__


def _claimed_output() -> BinaryIO:
    """The way to the gateway, out of reach of everything that prints."""
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return own


def _orders() -> Iterator[Order]:
    """Frames as they come. They are read on a thread, which ends the process with its input, even amid a job."""
    arrived: SimpleQueue[Order] = SimpleQueue()

    def read() -> None:
        source = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
        while length := source.read(LENGTH_BYTES):
            payload = source.read(int.from_bytes(length, "big"))
            if len(payload) < int.from_bytes(length, "big"):
                break
            arrived.put(order_of(payload))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return iter(arrived.get, None)


def _settle_in() -> None:
    """Signals are for the gateway, which says when to stop; the processor is for others first; the network is for
    nobody."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(NICENESS)
    sys.addaudithook(_refuse_network)


def _refuse_network(event: str, _: tuple[object, ...]) -> None:
    if event in _NETWORK:
        raise PermissionError(f"{event}: a recogniser talks to nobody")


def _send(reports: BinaryIO, report: Report) -> None:
    reports.write(framed(report))
    reports.flush()


if __name__ == "__main__":
    serve()
