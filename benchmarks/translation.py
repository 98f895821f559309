"""What translation costs beside pass-through: µs per request and per stream event, from each client's dialect to each
upstream's, and to the APIs that no client speaks.

    python -m benchmarks.translation [--quick] [--check] > translation.json

Everything is measured in this process, from decoded JSON to bytes: medians of interleaved rounds, without the network.
Targets: at most 60 µs per request of 1 KB and 10 µs per stream event over pass-through.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from itertools import product

import msgspec

from benchmarks.harness import report
from benchmarks.harness.rounds import Metrics, interleave
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.cohere_chat import COHERE_CHAT
from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI, GeminiFraming
from sentinel_core.dialects.ndjson import NdjsonParser
from sentinel_core.dialects.ollama_chat import OllamaChat
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.sse import SseParser
from sentinel_core.dialects.translation import (
    ClientChat,
    UpstreamChat,
    canonical_request,
    translated_events,
    translated_request,
)
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import Request
from sentinel_core.upstream import Framing, NativeChat

PASS_THROUGH = "openai to openai"
REQUEST_LIMIT_US = 60.0
EVENT_LIMIT_US = 10.0
REQUESTS = 2000
EVENTS = 2000
WORDS = "The quick brown fox jumps over the lazy dog. " * 18

CLIENTS: dict[str, ClientChat] = {
    "openai": OPENAI_CHAT,
    "anthropic": ANTHROPIC_MESSAGES,
    "responses": OPENAI_RESPONSES,
}
UPSTREAMS: dict[str, UpstreamChat] = {"openai": OPENAI_CHAT, "anthropic": ANTHROPIC_MESSAGES}
NATIVES: dict[str, NativeChat] = {"cohere": COHERE_CHAT, "gemini": GOOGLE_GEMINI, "ollama": OllamaChat()}
"""APIs that only upstreams speak."""
FRAMINGS: dict[str, Callable[[], Framing]] = {"gemini": GeminiFraming, "ollama": NdjsonParser}
"""Where it is not server-sent events, or not alone."""

_encode = msgspec.json.Encoder().encode


def request_of(dialect: ClientChat) -> Request:
    """A request of about 1 KB, as a provider of chats gets it."""
    turns = [{"role": "user", "content": WORDS}, {"role": "assistant", "content": "Yes."}]
    turns.append({"role": "user", "content": "Go on."})
    named = {"input": turns, "max_output_tokens": 100}
    if dialect is not OPENAI_RESPONSES:
        named = {"messages": turns, "max_tokens": 100}
    request = dialect.decode_request({"model": "m", "stream": True, **named})
    return msgspec.structs.replace(request, operation="chat")


def wire_of(name: str) -> bytes:
    """A stream of `EVENTS` fragments of text."""
    if name == "openai":
        top = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        deltas: list[JsonObject] = [{"content": "word "} for _ in range(EVENTS)]
        chunks = [{**top, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    if name == "cohere":
        return named([{"type": "message-start", "id": "c"}, *[COHERE_DELTA for _ in range(EVENTS)]])
    if name == "gemini":
        return b"".join(b"data: " + json.dumps(gemini_chunk(n)).encode() + b"\r\n\r\n" for n in range(EVENTS))
    if name == "ollama":
        said = {"role": "assistant", "content": "word "}
        line = {"model": "m", "created_at": "2025-10-26T17:15:24.097767Z", "message": said, "done": False}
        return (json.dumps(line).encode() + b"\n") * EVENTS
    message: JsonObject = {"id": "m", "model": "m", "content": [], "usage": {"input_tokens": 1}}
    frames: list[JsonObject] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    delta = {"type": "text_delta", "text": "word "}
    frames += [{"type": "content_block_delta", "index": 0, "delta": delta} for _ in range(EVENTS)]
    return named(frames)


COHERE_DELTA = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "word "}}}}


def gemini_chunk(number: int) -> JsonObject:
    """A chunk as Gemini sends it, with the token counts so far."""
    counts = {"promptTokenCount": 200, "candidatesTokenCount": number, "totalTokenCount": 200 + number}
    details = [{"modality": "TEXT", "tokenCount": 200}]
    return {
        "candidates": [{"content": {"parts": [{"text": "word "}], "role": "model"}, "index": 0}],
        "usageMetadata": {**counts, "promptTokensDetails": details, "serviceTier": "standard"},
        "modelVersion": "gemini-3.8-flash",
        "responseId": "QHiLaa6LBrb8vdIPoNztsAg",
    }


def named(frames: list[JsonObject]) -> bytes:
    """Frames as events that bear their type as a name."""
    return b"".join(f"event: {frame['type']}\ndata: {json.dumps(frame)}\n\n".encode() for frame in frames)


def sent(client: str, upstream: str) -> Callable[[], bytes]:
    """Makes the body for the upstream from the client's request."""
    source = CLIENTS[client]
    request = request_of(source)
    if upstream in NATIVES:
        native = NATIVES[upstream]
        return lambda: _encode(native.request_body(canonical_request(request, "m").body, "m").body)
    target = UPSTREAMS[upstream]
    same = request.dialect is target

    def once() -> bytes:
        translated = request if same else translated_request(request, target, "m")[0]
        return target.encode_request(translated, "m")

    return once


async def streamed(upstream: str, client: str, wire: bytes) -> int:
    """Read one stream of the upstream's, write it in the client's dialect; how many bytes that made."""
    native = NATIVES.get(upstream)
    source, target = UPSTREAMS.get(upstream, OPENAI_CHAT), CLIENTS[client]
    request = request_of(target)
    payloads = FRAMINGS.get(upstream, SseParser)().feed(wire)

    async def events() -> AsyncIterator[Event]:
        decoder = (source if native is None else native.reader("m")).stream_decoder()
        for data, name in payloads:
            for event in decoder.decode(data, name):
                yield event

    encoder = target.stream_encoder(request)
    size = 0
    async for event in translated_events(events(), source, request):
        size += len(encoder.encode(event))
    return size


async def measure(client: str, upstream: str, wire: bytes) -> Metrics:
    """One pair: many requests written, one stream read and written."""
    once = sent(client, upstream)
    started = time.perf_counter()
    for _ in range(REQUESTS):
        once()
    written = time.perf_counter()
    await streamed(upstream, client, wire)
    return {
        "request_us": (written - started) / REQUESTS * 1e6,
        "event_us": (time.perf_counter() - written) / EVENTS * 1e6,
    }


def compare(out: report.Report) -> None:
    """What every translating pair adds to the pass-through of OpenAI's format in the same run."""
    base = out.results[PASS_THROUGH]
    for name, row in out.results.items():
        client, _, upstream = name.partition(" to ")
        if client != upstream:
            added = {metric: row[metric] - base[metric] for metric in row}
            out.checks.append(report.at_most(f"{name}: us that a request adds", added["request_us"], REQUEST_LIMIT_US))
            out.checks.append(report.at_most(f"{name}: us that an event adds", added["event_us"], EVENT_LIMIT_US))


def main() -> None:
    """Every pair: from the client's dialect to the upstream's format, and its stream back."""
    args = report.parse(report.arguments(__doc__, rounds=9))
    wires = {name: wire_of(name) for name in (*UPSTREAMS, *NATIVES)}
    pairs = {f"{client} to {upstream}": (client, upstream) for client, upstream in product(CLIENTS, wires)}
    out = report.Report("translation", vars(args))
    out.add(
        asyncio.run(interleave(list(pairs), args.rounds, lambda name: measure(*pairs[name], wires[pairs[name][1]])))
    )
    if args.check:
        compare(out)
    out.emit()


if __name__ == "__main__":
    main()
