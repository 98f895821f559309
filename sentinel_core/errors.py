"""What can go wrong, in one table: every code Sentinel answers with, and the four kinds of exception.

The codes, their HTTP status and their `type` follow OpenAI's error object
(https://platform.openai.com/docs/guides/error-codes); a dialect renders them for its own clients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from sentinel_core.json_types import JsonMapping

MAX_MESSAGE_CHARS = 500
MAX_WORD_CHARS = 128
"""Of an upstream's `type`, `param` and `wire_code`."""
MAX_RETRY_AFTER_S = 120
UPSTREAM_QUOTA = "upstream_quota"
"""The wire code of an upstream's refusal because its account is out of money: another account may do."""
INVALID_TOOL_ARGUMENTS = "invalid_tool_arguments"
"""The wire code of an answer whose model wrote no JSON for a tool: its upstream is well."""


class ErrorKind(NamedTuple):
    """One row of the error table: what a code means on the wire."""

    status: int
    type: str
    should_retry: bool
    message: str


def _invalid(status: int, message: str) -> ErrorKind:
    return ErrorKind(status, "invalid_request_error", False, message)


def _server(status: int, message: str, *, should_retry: bool = True) -> ErrorKind:
    return ErrorKind(status, "server_error", should_retry, message)


ERRORS: Mapping[str, ErrorKind] = MappingProxyType(
    {
        "invalid_request": _invalid(400, "The request is not valid."),
        "invalid_json": _invalid(400, "The request body is not valid JSON."),
        "invalid_utf8": _invalid(400, "The request body is not valid UTF-8."),
        "json_too_deep": _invalid(400, "The request body nests too deeply."),
        "unsupported_parameter": _invalid(400, "A parameter of the request is not supported."),
        "invalid_parameter": _invalid(400, "A parameter of the request has a value that is not allowed."),
        "unsupported_operation": _invalid(400, "The model does not support what this route asks of it."),
        "content_policy_violation": _invalid(400, "The request was refused by this gateway's content policy."),
        "invalid_path": _invalid(400, "The request path is not in canonical form."),
        "invalid_host": _invalid(400, "The Host header is missing, repeated or not served here."),
        "invalid_framing": _invalid(
            400,
            "The request is not valid HTTP: ambiguous framing, or a target with bytes that must be percent-encoded.",
        ),
        "invalid_header": _invalid(400, "A header of the request is not valid."),
        "incomplete_body": _invalid(400, "The request body ended before its declared length."),
        "invalid_api_key": _invalid(401, "The API key is missing or not valid."),
        "model_not_allowed": ErrorKind(403, "permission_error", False, "This key may not use the requested model."),
        "route_not_allowed": ErrorKind(403, "permission_error", False, "This key may not use this route."),
        "model_not_found": _invalid(404, "The requested model does not exist or is not served here."),
        "not_found": _invalid(404, "There is no such route."),
        "method_not_allowed": _invalid(405, "This route does not accept the request's method."),
        "request_timeout": _invalid(408, "The request body did not arrive in time."),
        "request_too_large": _invalid(413, "The request is larger than this gateway accepts."),
        "unsupported_media_type": _invalid(415, "Send the body as application/json, UTF-8, without content encoding."),
        "rate_limit_exceeded": ErrorKind(429, "rate_limit_error", True, "The rate limit is reached."),
        "concurrency_limit_exceeded": ErrorKind(429, "rate_limit_error", True, "Too many requests at the same time."),
        "insufficient_quota": ErrorKind(429, "insufficient_quota", False, "The budget is used up."),
        "headers_too_large": _invalid(431, "The request has too many headers or too large ones."),
        "internal_error": _server(500, "The gateway failed to handle this request."),
        "upstream_unreachable": _server(502, "The model's provider could not be reached."),
        "upstream_connection_reset": _server(502, "The model's provider closed the connection."),
        "upstream_invalid_response": _server(502, "The model's provider sent an answer that is not valid."),
        "upstream_auth_error": _server(
            502, "The model's provider refused this gateway's credentials.", should_retry=False
        ),
        "upstream_tls_error": _server(502, "No secure connection to the model's provider could be made."),
        "upstream_redirect": _server(502, "The model's provider answered with a redirect.", should_retry=False),
        "upstream_error": _server(502, "The model's provider reported an error."),
        "upstream_stream_interrupted": _server(502, "The model's provider broke off its answer."),
        "circuit_open": _server(503, "The model's provider is failing and is not being called for now."),
        "overloaded": _server(503, "The gateway or the model's provider is overloaded."),
        "draining": _server(503, "The gateway is shutting down; retry on another connection."),
        "state_unavailable": _server(503, "The gateway's state store does not answer."),
        "guard_unavailable": _server(503, "A guard that must see this request cannot do so now."),
        "ledger_unavailable": _server(503, "The gateway's ledger does not answer."),
        "not_started": _server(503, "The gateway is not open: run `async with gateway:` in the host's lifespan."),
        "upstream_timeout": _server(504, "The model's provider did not answer in time."),
    }
)


class SentinelError(Exception):
    """Base of everything Sentinel raises on purpose.

    `code` is a key of `ERRORS`; status, type, message and retry advice default to that row. `message` reaches
    the caller, so it never holds secrets, addresses or prompts. `retry_after_s` is in seconds; `details` lands
    in the error object under `details`.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int | None = None,
        type: str | None = None,  # noqa: A002 - the wire's own word
        param: str | None = None,
        retry_after_s: float | None = None,
        should_retry: bool | None = None,
        details: JsonMapping | None = None,
    ) -> None:
        kind = ERRORS[code]
        self.code = code
        self.message = (message or kind.message)[:MAX_MESSAGE_CHARS]
        self.status = status or kind.status
        self.type = type or kind.type
        self.param = param
        self.retry_after_s = retry_after_s
        self.should_retry = kind.should_retry if should_retry is None else should_retry
        self.details = details
        super().__init__(f"{code}: {self.message}")

    @property
    def told_code(self) -> str:
        """The `code` of the error object that a client gets: where a provider named a cause of its own, that."""
        return self.code


class Refusal(SentinelError):
    """A stage's decision to deny a request or an answer. Always honoured, never a fault."""


class UpstreamError(SentinelError):
    """The upstream failed or refused.

    `attempted` is False where it never came to a call (an open breaker, a full pool): no byte was sent, and that says
    nothing about the upstream. `upstream_status` is the provider's HTTP status, if there was one. `wire_code` replaces
    `code` in the error object where the provider named its own. `verbatim` says that `message`, `type`, `param` or
    `wire_code` is the provider's text, which the chain passes through the entered guards.
    Each of the latter three is cut to `MAX_WORD_CHARS`.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        attempted: bool = True,
        upstream_status: int | None = None,
        wire_code: str | None = None,
        verbatim: bool = False,
        **fields: Any,  # those of SentinelError
    ) -> None:
        super().__init__(code, message, **fields)
        self.attempted = attempted
        self.upstream_status = upstream_status
        self.wire_code = wire_code
        self.verbatim = verbatim
        self.say(self.message, self.type, self.param or "", wire_code or "")

    def say(self, message: str, kind: str, param: str, wire_code: str) -> None:
        """Tell these texts; `kind` is the type. Where one is empty, it is that of the code's row, or none."""
        row = ERRORS[self.code]
        self.message, self.type = (message or row.message)[:MAX_MESSAGE_CHARS], (kind or row.type)[:MAX_WORD_CHARS]
        self.param, self.wire_code = param[:MAX_WORD_CHARS] or None, wire_code[:MAX_WORD_CHARS] or None
        self.args = (f"{self.code}: {self.message}",)  # what a log would show

    @property
    def told_code(self) -> str:
        """See `SentinelError`."""
        return self.wire_code or self.code

    @property
    def is_about_the_key(self) -> bool:
        """Whether another key of the same provider may do: its credentials, quota or limit failed, or it never came to
        a call. Whatever else happens, happens to all keys alike."""
        about = self.code in ("upstream_auth_error", "rate_limit_exceeded") or self.wire_code == UPSTREAM_QUOTA
        return about or not self.attempted


class StageFault(SentinelError):
    """A stage raised something that is neither a `Refusal` nor an `UpstreamError`, or took too long.

    The cause is chained (`__cause__`) for the log; the caller sees only the code's fixed message.
    """

    def __init__(self, stage: str, phase: str, *, guard: bool = False, reason: str = "raised") -> None:
        super().__init__("guard_unavailable" if guard else "internal_error")
        self.stage = stage
        self.phase = phase
        self.reason = reason

    def __str__(self) -> str:
        return f"stage {self.stage!r} {self.reason} in {self.phase}"


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong with the configuration, with the words to mend it.

    `where` is the file or environment variable, `table` and `key` the place in it, `found` the value as written
    (never a secret's), `expected` what would work.
    """

    message: str
    where: str = ""
    table: str = ""
    key: str = ""
    found: str = ""
    expected: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        place = " ".join(part for part in (f"[{self.table}]" if self.table else "", self.key) if part)
        text = ": ".join(part for part in (self.where, place, self.message) if part)
        if self.found:
            text += f"; found {self.found}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.suggestion:
            text += f"; {self.suggestion}"
        return text


class ConfigError(SentinelError):
    """The configuration cannot be used. Carries every problem found, not only the first."""

    def __init__(self, problems: Sequence[ConfigProblem] | str) -> None:
        if isinstance(problems, str):
            problems = (ConfigProblem(problems),)
        super().__init__("internal_error")
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
