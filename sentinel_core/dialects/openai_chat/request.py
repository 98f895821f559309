"""Chat requests: validation of what the gateway relies on, and lossless re-encoding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TypeAlias

from sentinel_core.dialects.lossless import encode_request
from sentinel_core.dialects.openai_chat.steering import check_steering
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Request

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

GATEWAY_FIELDS = frozenset(
    {
        "session_id",
        "template_id",
        "template_variables",
        "max_latency_ms",
        "max_cost_per_1k",
    }
)
"""Request fields that are the gateway's own: consumed here, never forwarded."""

_MODEL_CHARS = 256


def decode(dialect: Dialect, body: JsonValue) -> Request:
    """Validate a decoded body. Raises `Refusal` with the parameter's name."""
    request = envelope(dialect, body)
    _messages(request.body)
    if not _BOUNDED.isdisjoint(request.body):
        check_numbers(request.body, _BOUNDS)
        check_stop(request.body)
        for name in _SWITCHES:
            if not isinstance(request.body.get(name), bool | None):
                raise invalid(name, f"The parameter {name!r} must be true or false.")
    return request


def envelope(dialect: Dialect, body: JsonValue) -> Request:
    """What the bodies of all of OpenAI's formats share: the model, `stream`, and the gateway's own fields, which are
    parted from the rest. Raises `Refusal`."""
    if not isinstance(body, dict):
        raise Refusal("invalid_request", "The request body must be a JSON object.")
    check_steering(body, vendor=dialect.name.partition(".")[0])
    model = _model(body)
    stream = _stream(body)
    options = body.get("stream_options")
    gateway: JsonObject = {}
    if not GATEWAY_FIELDS.isdisjoint(body):
        gateway = {name: body[name] for name in GATEWAY_FIELDS.intersection(body)}
        body = {name: value for name, value in body.items() if name not in gateway}
    return Request(
        dialect=dialect,
        body=body,
        operation=dialect.operation,
        model=model,
        stream=stream,
        include_usage=stream and isinstance(options, dict) and options.get("include_usage") is True,
        gateway=gateway,
    )


def encode(request: Request, model: str) -> bytes:
    """The body for an upstream as it came, asking for the usage chunk that closes a stream."""
    if request.stream and not request.include_usage:
        options = {**(request.body.get("stream_options") or {}), "include_usage": True}
        request = request.with_fields(stream_options=options)
    return encode_request(request, model)


def invalid(param: str, message: str) -> Refusal:
    """What a parameter with a value that is not allowed is refused with."""
    return Refusal("invalid_parameter", message, param=param)


def _model(body: JsonMapping) -> str | None:
    model = body.get("model")
    if model is None:
        return None
    if not isinstance(model, str) or not model:
        raise invalid("model", "The parameter 'model' must be a non-empty string.")
    if len(model) > _MODEL_CHARS:
        raise Refusal("model_not_found", param="model")
    return model


def _stream(body: JsonMapping) -> bool:
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise invalid("stream", "The parameter 'stream' must be true or false.")
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise invalid("stream_options", "The parameter 'stream_options' must be an object.")
    return bool(stream)


def _messages(body: JsonMapping) -> None:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("messages", "The parameter 'messages' must be a non-empty list.")
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise invalid(f"messages[{index}]", "Each message must be an object with a 'role'.")
        content = message.get("content")
        if content is not None and not isinstance(content, str | list):
            raise invalid(f"messages[{index}].content", "A message's 'content' must be a string, a list or null.")


Bound: TypeAlias = tuple[str, type | tuple[type, ...], float, float]
"""A number's (name, type, lowest, highest)."""
MAX_CAP: Final = 100_000_000
"""The most tokens of answer that a request of any dialect may ask for."""

_BOUNDS: tuple[Bound, ...] = (
    ("max_tokens", int, 1, MAX_CAP),
    ("max_completion_tokens", int, 1, MAX_CAP),
    ("n", int, 1, 128),
    ("temperature", (int, float), 0, 2),
    ("top_p", (int, float), 0, 1),
    ("top_logprobs", int, 0, 20),
)
"""Parameters that multiply cost or that upstreams reject only after queueing."""

_STOP_ITEMS = 16
_SWITCHES = ("logprobs", "parallel_tool_calls", "store")
_BOUNDED = frozenset({*(name for name, *_ in _BOUNDS), *_SWITCHES, "stop"})


def check_numbers(body: JsonMapping, bounds: Iterable[Bound]) -> None:
    """Raises `Refusal` for a parameter that is not a number within its bounds; absent and null ones are none."""
    for name, kind, lowest, highest in bounds:
        value: JsonValue = body.get(name)
        if value is None:
            continue
        is_number = isinstance(value, kind) and not isinstance(value, bool)
        if not is_number or not lowest <= value <= highest:
            raise invalid(name, f"The parameter {name!r} must be a number from {lowest} to {highest}.")


def check_stop(body: JsonMapping) -> None:
    """Raises `Refusal` for what is no stop sequence, and for more of them than an upstream would take."""
    stop = body.get("stop")
    if stop is None or isinstance(stop, str):
        return
    if not isinstance(stop, list) or not all(isinstance(item, str) for item in stop):
        raise invalid("stop", "The parameter 'stop' must be a string or a list of strings.")
    if len(stop) > _STOP_ITEMS:
        raise invalid("stop", f"The parameter 'stop' takes at most {_STOP_ITEMS} sequences.")
