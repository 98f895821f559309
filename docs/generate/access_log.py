"""The access log's fields and termination codes, from `sentinel_server.access_log` and `termination`."""

from __future__ import annotations

from docs.generate.markdown import table
from docs.generate.source import attributes, class_source
from sentinel_server import access_log, termination

MEANINGS = {
    "time": "when the response was over: ISO 8601 in UTC, with milliseconds",
    "id": "the request's id, the same as in `x-request-id`",
    "method": "the request's method",
    "path": "the request's path, without its query string",
    "status": "the HTTP status that was sent; 499 where the client left before one was",
    "duration_ms": "milliseconds from the request's head to the end of its response",
    "bytes_in": "bytes of the request's body",
    "bytes_out": "bytes of the response's body",
    "model": "the model that was asked for; where none was named, the one that answered",
    "provider": "the table's name of the provider that answered; where none did, of the one that was called last",
    "attempts": "how many times a provider was called",
    "stream": "whether a stream was asked for",
    "end": "the termination code, below",
    "error": "the error code that was sent, or null",
}

HEAD = """# Access log

One JSON object per request and line, on the logger `sentinel.access`. It holds no body, no query string and no
credentials. Everything a client chose is escaped to printable ASCII and cut to {chars} characters, so that no path
and no model name can forge a line. The server's own access log is off. Whatever else is logged has `time`, `level`,
`logger`, `pid` (the process: with several workers, which one), `message` and, where there is one, `exception`.

"""


def access_log_page() -> str:
    """The page `reference/access-log.md`."""
    record = class_source(access_log, "AccessRecord")
    rows = [(f"`{item.name}`", f"`{item.type}`", MEANINGS[item.name]) for item in attributes(record)]
    fields = table(["field", "type", "what it says"], rows)
    codes = (termination.__doc__ or "").strip()
    head = HEAD.format(chars=access_log.MAX_FIELD_CHARS)
    return f"{head}{fields}\n## Termination codes\n\n{codes}\n"
