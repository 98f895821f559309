"""`python -m sentinel_server` is `sentinel`."""

import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Run `sentinel`. What a gateway has not read yet it need not read again: until then SIGHUP says nothing to it."""
    signal.signal(signal.SIGTERM, end)
    stand_in()
    if sys.argv[1:2] == ["serve"]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        from sentinel_server.cli import main as run

        run()
    except KeyboardInterrupt:  # before there was anything to drain
        sys.exit(INTERRUPTED)


def end(number: int, _: object) -> None:
    """End by this signal. The first process of a container is spared what nobody handles: it exits."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def stand_in() -> None:
    """Open what was closed of standard input, output and error: what is said there is for nobody, and is no failure."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: SIM115 - as long as the process
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


if __name__ == "__main__":
    main()
