"""One of several workers: a process of its own, told what to do over a channel.

Started as `python -m sentinel_server.supervisor.child FD`. Exits 0 after a drain, 1 if it could not start or failed.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import suppress

import msgspec

from sentinel_core.errors import SentinelError
from sentinel_server import logs
from sentinel_server.runners import loop_factory
from sentinel_server.supervisor.binding import join
from sentinel_server.supervisor.channel import Channel, Command, Report, Start, Step
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.worker import Worker


async def follow(channel: Channel, worker: Worker) -> None:
    """Do what the supervisor says. When it is gone, drain: nobody would respawn or stop this process any more.

    The steps of a reload have tasks of their own: a drain is heard while stages are being opened.
    """
    async with asyncio.TaskGroup() as steps:
        while message := await channel.message():
            command = msgspec.json.decode(message, type=Command)
            match command.order:
                case "drain":
                    worker.begin()
                case "hurry":
                    worker.hurry()
                case "give_up":
                    worker.give_up()
                case step:
                    steps.create_task(_take(step, command.launch, channel, worker))
                    await asyncio.sleep(0)  # it has begun: an order to give up finds it
        worker.begin()


async def _take(step: Step, launch: Launch | None, channel: Channel, worker: Worker) -> None:
    match step:
        case "prepare":
            problems = await worker.prepare(launch)
            channel.send(Report(step, problems, worker.prepared))
        case "commit":
            channel.send(Report(step, await worker.commit()))
        case "rollback":
            channel.send(Report(step, await worker.rollback()))


async def serve(sock: socket.socket) -> int:
    """A worker's life; its exit code."""
    channel = await Channel.over(sock)
    start = msgspec.json.decode(await channel.message(), type=Start)
    try:
        logs.configure(start.server.log_level)
        gateway = await asyncio.to_thread(start.launch.successor, start.server)
        worker = Worker(start.launch, gateway, join(start.host, start.port))
    except SentinelError as error:
        channel.send(Report("failed", str(error)))
        return 1
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.begin)
    following = asyncio.create_task(follow(channel, worker))
    try:
        await worker.run(lambda: channel.send(Report("ready")))
    except SentinelError as error:
        channel.send(Report("failed", str(error)))
        return 1
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        channel.close()
    return 0


def main(descriptor: int, runner: str) -> int:
    """Serve on this process's own loop. A terminal's Ctrl-C and SIGHUP are for the supervisor, which tells us."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=loop_factory(runner)) as loop:
        return loop.run(serve(socket.socket(fileno=descriptor)))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
