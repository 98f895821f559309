"""`python -m sentinel_server` is `sentinel`."""

import signal
import sys


def main() -> None:
    """Run `sentinel`. What a gateway has not read yet it need not read again: until then SIGHUP says nothing to it."""
    if sys.argv[1:2] == ["serve"]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from sentinel_server.cli import main as run

    run()


if __name__ == "__main__":
    main()
