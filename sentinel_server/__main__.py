"""`python -m sentinel_server` is `sentinel`."""

from sentinel_server.cli import main

if __name__ == "__main__":
    main()
