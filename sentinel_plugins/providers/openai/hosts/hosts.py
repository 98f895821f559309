"""The hosts: one entry each, with what it refuses and what it says otherwise.

Sources: the hosts' API references, and the request types of Groq's and Mistral's own clients. What is not named here
goes through.
"""

from __future__ import annotations

import re
from functools import partial
from types import MappingProxyType
from typing import Final

from sentinel_core.dialects.openai_chat.thoughts import THOUGHTS
from sentinel_plugins.providers.openai.hosts.host import ErrorRules, Host, MessageRules, ReplyRules, RequestRules
from sentinel_plugins.providers.openai.hosts.usage import with_cached, with_reasoning

_ONE = MappingProxyType({"n": 1})
_SYSTEM = MappingProxyType({"developer": "system"})
_UNSAID = THOUGHTS | {"annotations", "parsed"}
"""What answers, or the clients that read them, say beside their words, which is nothing to another vendor."""
_KNOWN = frozenset({"role", "content", "tool_calls", "tool_call_id"})
_LOGPROBS = frozenset({"logprobs", "top_logprobs", "logit_bias"})

GROQ: Final = Host(
    # https://console.groq.com/docs/openai: these are answered with 400; a temperature of 0 is what it makes 1e-8.
    RequestRules(
        unsupported=_LOGPROBS,
        fixed=_ONE,
        values=MappingProxyType({"temperature": {0: 1e-8}}),
        # ChatCompletionAssistantMessageParam of groq/groq-python: `reasoning` is its own word for thoughts.
        messages=MessageRules(
            unsupported=frozenset({"name", "audio", "images"}),
            unneeded=_UNSAID - {"reasoning"},
            known=_KNOWN | {"executed_tools", "function_call", "reasoning"},
            never_null=frozenset({"function_call", "tool_calls"}),
            refusal_as_text=True,
        ),
    ),
    ReplyRules(usage_beside="x_groq"),
    ErrorRules(statuses=MappingProxyType({498: 503})),  # the flex tier is full
)

MISTRAL: Final = Host(
    # ChatCompletionRequest of mistralai/client-python forbids what it does not list. Usage comes without asking.
    RequestRules(
        rename=MappingProxyType({"seed": "random_seed", "max_completion_tokens": "max_tokens"}),
        unsupported=frozenset(
            {
                *_LOGPROBS,
                *("audio", "function_call", "functions", "modalities", "moderation", "prompt_cache_options"),
                *("prompt_cache_retention", "safety_identifier", "service_tier", "store", "top_k", "user", "verbosity"),
                "web_search_options",
            }
        ),
        unneeded=frozenset({"stream_options"}),
        values=MappingProxyType(
            {
                "reasoning_effort": {
                    "minimal": "none",
                    "low": "none",
                    "medium": "high",
                    "xhigh": "high",
                    "max": "high",
                },
            }
        ),
        messages=MessageRules(
            roles=_SYSTEM,
            no_roles=frozenset({"function"}),
            unsupported=frozenset({"name", "audio", "images", "function_call"}),
            unneeded=_UNSAID,
            known=_KNOWN | {"prefix"},
            refusal_as_text=True,
            answer_to_results=True,  # "Unexpected role 'user' after role 'tool'"
        ),
        short_tool_ids=True,
        tool_by_filter=True,
    ),
    ReplyRules(
        finish=MappingProxyType({"model_length": "length"}),
        failures=MappingProxyType({"error": "upstream_error"}),
        usage=partial(with_cached, "num_cached_tokens"),
        content_parts=True,
    ),
)

DEEPSEEK: Final = Host(
    RequestRules(
        rename=MappingProxyType({"max_completion_tokens": "max_tokens"}),
        unsupported=frozenset({"seed"}),
        fixed=_ONE,
        messages=MessageRules(roles=_SYSTEM),
        # https://api-docs.deepseek.com/guides/json_mode: `json_object` alone, and only where "json" is said.
        schema_in_words=True,
    ),
    ReplyRules(
        failures=MappingProxyType({"insufficient_system_resource": "overloaded"}),
        usage=partial(with_cached, "prompt_cache_hit_tokens"),
    ),
)

XAI: Final = Host(
    RequestRules(
        reasoning_models=re.compile(r"grok-(3-mini|[4-9]|code)(?!.*non-reasoning)"),
        unsupported_in_reasoning=frozenset({"frequency_penalty", "presence_penalty", "stop"}),
    ),
    ReplyRules(usage=with_reasoning),
    ErrorRules(credential_words=("incorrect api key",)),
)

TOGETHER: Final = Host(reply=ReplyRules(finish=MappingProxyType({"eos": "stop"})))

LLAMA: Final = Host(RequestRules(messages=MessageRules(unneeded=THOUGHTS), typed_unions=True))

OPENROUTER: Final = Host(
    RequestRules(extensions=True),
    # https://openrouter.ai/docs/errors: 403 with `metadata.reasons` is moderation.
    reply=ReplyRules(failures=MappingProxyType({"error": "upstream_error"})),
    errors=ErrorRules(moderation=True),
)

AZURE: Final = Host(
    RequestRules(messages=MessageRules(unneeded=THOUGHTS), openai_tool_ids=True, openai_models=True),
    auth_header="api-key",
    auth_scheme="",
)

VERCEL: Final = Host(RequestRules(extensions=True))
