"""The hosts: one entry each, with what it refuses and what it says otherwise.

Sources: the hosts' API references, and the request types of Mistral's own client. What is not named here goes through.
"""

from __future__ import annotations

import re
from functools import partial
from types import MappingProxyType
from typing import Final

from sentinel_plugins.providers.openai.hosts.host import ErrorRules, Host, ReplyRules, RequestRules
from sentinel_plugins.providers.openai.hosts.usage import with_cached, with_reasoning

_ONE = MappingProxyType({"n": 1})
_SYSTEM = MappingProxyType({"developer": "system"})
_THOUGHTS = frozenset({"reasoning_content"})
_LOGPROBS = frozenset({"logprobs", "top_logprobs", "logit_bias"})

GROQ: Final = Host(
    # https://console.groq.com/docs/openai: these are answered with 400; a temperature of 0 is what it makes 1e-8.
    RequestRules(
        unsupported=_LOGPROBS,
        fixed=_ONE,
        values=MappingProxyType({"temperature": {0: 1e-8}}),
        message_fields=frozenset({"name"}),
        message_unneeded=_THOUGHTS,
    ),
    ReplyRules(usage_beside="x_groq"),
    ErrorRules(statuses=MappingProxyType({498: 503})),  # the flex tier is full
)

MISTRAL: Final = Host(
    # ChatCompletionRequest of mistralai/client-python forbids what it does not list. Usage comes without asking.
    RequestRules(
        rename=MappingProxyType({"seed": "random_seed", "max_completion_tokens": "max_tokens"}),
        unsupported=_LOGPROBS | {"service_tier", "store", "user", "verbosity", "web_search_options"},
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
        roles=_SYSTEM,
        message_fields=frozenset({"name"}),
        message_unneeded=_THOUGHTS,
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
        roles=_SYSTEM,
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

LLAMA: Final = Host(RequestRules(typed_unions=True))

OPENROUTER: Final = Host(
    RequestRules(extensions=True),
    # https://openrouter.ai/docs/errors: 403 with `metadata.reasons` is moderation.
    reply=ReplyRules(failures=MappingProxyType({"error": "upstream_error"})),
    errors=ErrorRules(moderation=True),
)

AZURE: Final = Host(auth_header="api-key", auth_scheme="")

VERCEL: Final = Host(RequestRules(extensions=True))
