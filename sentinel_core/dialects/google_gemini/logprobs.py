"""Log probabilities in OpenAI's form.

Source: `LogprobsResult` of google-genai's `types.py`.
"""

from __future__ import annotations

from sentinel_core.dialects.google_gemini.wire import Logprobs, Token
from sentinel_core.json_types import JsonObject


def logprobs_of(found: Logprobs) -> JsonObject:
    """The `logprobs` of a choice: each token with its bytes and the likeliest in its place."""
    tops = found.top_candidates or ()
    content = []
    for position, token in enumerate(found.chosen_candidates or ()):
        likely = (tops[position].candidates or ()) if position < len(tops) else ()
        content.append({**_token(token), "top_logprobs": [_token(one) for one in likely]})
    return {"content": content, "refusal": None}


def _token(token: Token) -> JsonObject:
    return {"token": token.token, "logprob": token.log_probability, "bytes": list(token.token.encode())}
