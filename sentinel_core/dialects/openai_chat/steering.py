"""What a body may not say: which upstream, which other model, whose credentials, or which guards.

Hosts in front of several models read such fields beside `model`. The model that a key may use, its price and its budget
are those of the request that was admitted, so nothing in it may name a further one.

Sources: https://openrouter.ai/docs/guides/routing/model-fallbacks, https://openrouter.ai/docs/features/presets,
https://openrouter.ai/docs/guides/features/plugins/fusion, https://vercel.com/docs/ai-gateway/provider-options,
https://console.groq.com/docs/api-reference, https://docs.litellm.ai/docs/proxy/reliability.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping

REFUSED_FIELDS: Final = frozenset(
    {
        "api_base",
        "api_key",
        "api_version",
        "base_url",
        "cache_control",
        "content_policy_fallbacks",
        "context_window_fallbacks",
        "custom_host",
        "custom_llm_provider",
        "extra_body",
        "extra_headers",
        "fallback",
        "fallback_models",
        "fallbacks",
        "guardrails",
        "headers",
        "mock_response",
        "model_fallbacks",
        "model_list",
        "models",
        "no-log",
        "organization",
        "preset",
        "proxy",
        "route",
        "router_settings_override",
        "timeout",
        "user_config",
    }
)
"""Fields with which other gateways let a caller choose the upstream, another model, credentials or which guards run.
They are refused rather than forwarded, so that nobody takes them for honoured (H30)."""
_OWN: Final = {"anthropic": frozenset({"cache_control"})}
"""Those that mean something else in a vendor's API: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching."""

REFUSED_MEMBERS: Final = (("compound_custom", "models"), ("providerOptions", "gateway"))
"""The same within fields that also say other things: Groq's choice of models, and Vercel's routing."""

_OBJECT = "provider"
"""OpenRouter's routing, where it is an object. A word is another host's own parameter, and chooses nothing here."""
_LISTS = ("plugins", "tools")
_ASKS_A_MODEL = re.compile(r"(?:[^:]+:)?(?:advisor|fusion|subagent)(?:_\d+)?")
"""Plugins and tools with which a host asks further models, of the caller's choice, within one request."""
_LOOKED_INTO = frozenset({_OBJECT, *_LISTS, *(holder for holder, _ in REFUSED_MEMBERS)})
_EXTENSION = "extra_content"
_SWITCH_OFF = re.compile(r"(?<![a-z])disable(?![a-z])", re.IGNORECASE)
"""In a key of `metadata`: the same, said where other gateways look for it (`disable_guardrails`)."""


def check_steering(body: JsonMapping, at: str = "", *, vendor: str = "") -> None:
    """Raises `Refusal` (unsupported_parameter) for what would re-route the request, with the path of it behind `at`.
    A field that the `vendor` whose body this is has itself is that.

    What stands in `extra_content` for a vendor becomes part of that vendor's body, and is checked as one.
    """
    if not REFUSED_FIELDS.isdisjoint(body):
        names = REFUSED_FIELDS.intersection(body) - _OWN.get(vendor, frozenset())
        if names:
            raise _refused(at + min(names))
    if not _LOOKED_INTO.isdisjoint(body):
        for path in _rerouting(body):
            raise _refused(at + path)
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and any(map(_SWITCH_OFF.search, metadata)):
        words = "No metadata switches off a part of this gateway."
        raise Refusal("unsupported_parameter", words, param=f"{at}metadata")
    kept = body.get(_EXTENSION)
    for name, fields in kept.items() if isinstance(kept, dict) else ():
        if isinstance(fields, dict):
            check_steering(fields, f"{at}{_EXTENSION}.{name}.", vendor=name)


def _rerouting(body: JsonMapping) -> Iterator[str]:
    """The paths of what re-routes within fields that need not."""
    if isinstance(body.get(_OBJECT), dict | list):
        yield _OBJECT
    for holder, member in REFUSED_MEMBERS:
        if isinstance(body.get(holder), dict) and member in body[holder]:
            yield f"{holder}.{member}"
    for name in _LISTS:
        items = body.get(name)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict) and _asks_a_model(item):
                yield f"{name}[{index}]"


def _asks_a_model(item: JsonMapping) -> bool:
    """Whether a plugin or a tool is of that kind, also where it is kept for a vendor as a whole."""
    kept = item.get(_EXTENSION)
    own = [fields for fields in kept.values() if isinstance(fields, dict)] if isinstance(kept, dict) else []
    kinds = [holder.get(key) for holder in (item, *own) for key in ("type", "id")]
    return any(isinstance(kind, str) and _ASKS_A_MODEL.fullmatch(kind) for kind in kinds)


def _refused(param: str) -> Refusal:
    return Refusal("unsupported_parameter", f"The parameter {param!r} is not supported by this gateway.", param=param)
