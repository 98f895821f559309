"""The table of error codes, from `sentinel_core.errors`."""

from __future__ import annotations

from docs.generate.markdown import table
from sentinel_core.errors import ERRORS, MAX_MESSAGE_CHARS, MAX_RETRY_AFTER_S, MAX_WORD_CHARS

HEAD = f"""# Errors

Every answer that is not a success carries an error object: Anthropic's on `/v1/messages` and
`/v1/messages/count_tokens`, OpenAI's everywhere else.

```json
{{"error": {{"message": "…", "type": "invalid_request_error", "param": "messages", "code": "invalid_parameter"}}}}
```

All four keys are always there; `param` and `code` may be null. Limits and budgets add `details`. `message` is written
for people, has at most {MAX_MESSAGE_CHARS} characters, and never holds an address, a key, a path, a stack or the
prompt.

```json
{{"type": "error", "error": {{"type": "invalid_request_error", "message": "…"}}, "request_id": "…"}}
```

That is Anthropic's: without `code` and `param`, with a `type` of its own for each status; status, `message` and
`details` are the same.

| header | on | says |
| --- | --- | --- |
| `x-request-id` | every answer | the id in the log; yours, if it matches `[A-Za-z0-9_.:-]{{1,128}}` |
| `x-should-retry` | every error | `true` or `false`; the official SDKs obey it |
| `retry-after`, `retry-after-ms` | 429 and 503 | how long to wait; left out above {MAX_RETRY_AFTER_S} s |

Once a stream has begun, its status is already 200. A failure after that is one event and the end of the body, without
the end marker of a complete stream and without an invented reason to stop: for chats and completions
`data: {{"error": {{…}}}}` and no `[DONE]`; for `/v1/messages` an `error` event with its object and no `message_stop`;
for `/v1/responses` an `error` event and no `response.completed`.

Some requests are refused by the ASGI server before the gateway sees them: [runners](runners.md) lists them.

## Codes

"Retry" is the default of `x-should-retry`; once the gateway has spent its own attempts it says `false`.
"""

TAIL = f"""
Where the cause is a provider's, `code` may be a word that is not in this table, with the status and type of the row
that is right for it: the provider's own, such as `context_length_exceeded`; `upstream_quota` (503), where the balance
or quota of the gateway's key is used up and no wait helps; `invalid_tool_arguments` (502), where a model wrote
arguments that are no JSON. In process, an error's `code` is that of the row and `told_code` the word.

A provider's own words are cut as well: its `type`, `param` and `code` to {MAX_WORD_CHARS} characters each. Where they
repeat a secret of its table or its address, `[secret]` and `[address]` stand there instead.
"""


def errors_page() -> str:
    """The page `reference/errors.md`."""
    rows = [
        (f"`{code}`", str(kind.status), f"`{kind.type}`", "yes" if kind.should_retry else "no", kind.message)
        for code, kind in sorted(ERRORS.items(), key=lambda item: (item[1].status, item[0]))
    ]
    return HEAD + "\n" + table(["code", "status", "type", "retry", "what it says"], rows) + TAIL
