"""A server that answers whatever it is asked with one stream, each piece in an HTTP chunk of its own.

Clients hand on the chunks of a body as they came, so a client's parser sees exactly these pieces.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Playback(ThreadingHTTPServer):
    """`pieces` is what the next request gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pieces: Sequence[bytes] = ()

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes
    server: Playback

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunks = (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in self.server.pieces if piece)
        self.wfile.write(b"".join((*chunks, b"0\r\n\r\n")))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Nothing: every example is a request."""


@contextmanager
def playback() -> Iterator[Playback]:
    """A playback server on a thread of its own."""
    with Playback() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
