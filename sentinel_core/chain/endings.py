"""Who closes what: every stream and layer of an exchange is closed here, in a task that nobody can cancel."""

from __future__ import annotations

import asyncio

from sentinel_core.chain.layers import StreamLayer
from sentinel_core.chain.pipe import Pipe
from sentinel_core.reply import EventStream, Reading, logged
from sentinel_core.running import Running


class Tracker:
    """Tasks that must end before the gateway does: closings and finishers that outlived their waiter."""

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Running[None]) -> asyncio.Task[None]:
        """Run `work` in a task of its own, remembered until it is done."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drained(self) -> None:
        """Return once no task is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)


class Endings:
    """What one exchange must close: adopted streams, layers over them, and the consumer's own read."""

    __slots__ = ("_layers", "_over", "_streams", "_tracker", "reading")

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._over = False
        self._streams: list[EventStream] = []
        self._layers: list[StreamLayer | Pipe] = []
        self.reading = Reading()

    def __bool__(self) -> bool:
        return bool(self._streams)

    def adopt(self, stream: EventStream) -> None:
        """Take over the duty to close this stream. Nothing happens twice if it is adopted again.

        One that comes when everything else is closed (a provider that swallowed a cancellation) is closed at once.
        """
        if self._over:
            self._tracker.start(stream.aclose())
        elif stream not in self._streams:
            self._streams.append(stream)

    def seal(self) -> None:
        """The exchange is over: what is still adopted is closed at once."""
        self._over = True

    def add_layer(self, layer: StreamLayer | Pipe) -> None:
        """Remember a layer; the last one added is the outermost."""
        self._layers.append(layer)

    async def close(self) -> None:
        """Cancel pending reads, then close from the outermost layer to the upstream, pulled or not."""
        self.seal()
        await self.reading.stop(asyncio.current_task())
        for layer in reversed(self._layers):
            await logged(layer.aclose)
            layer.conclude()
        for stream in reversed(self._streams):
            await logged(stream.aclose_owned)
