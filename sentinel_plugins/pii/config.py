"""`[stages.pii]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sentinel_core.config import Secret
from sentinel_plugins.guarding.config import EntityName
from sentinel_plugins.guarding.entity_names import STRUCTURED
from sentinel_plugins.guarding.replacing import Action
from sentinel_plugins.pii.names.config import RecognisingConfig

MIN_KEY_CHARS = 16


class PiiConfig(RecognisingConfig, frozen=True, kw_only=True):
    """Which personal data is looked for, and what is done about it."""

    action: Action = "redact"
    """What is done about a value: `block` refuses the request or the reply, `redact` writes its kind
    (`[EMAIL_ADDRESS]`), `mask` keeps its last four characters (none of a value under ten), `hash` writes the same code
    for the same value of a tenant, `reversible` writes letters and digits that become the value again in the reply,
    `warn` only counts it and says so in the verdict."""
    actions: Mapping[EntityName, Action] = {}
    """The same for single entities: `CREDIT_CARD = "block"`."""
    hash_key: Secret | None = None
    """The key of `hash` and `reversible`, 16 characters or more. Every tenant's own is derived from it. All processes
    need the same one, and a new one changes what stands for a value."""

    known = STRUCTURED

    def problems(self) -> Iterator[str]:
        """Those of the key, and of actions, as well."""
        yield from super().problems()
        for action in ("hash", "reversible"):
            if self.does(action) and self.hash_key is None:
                yield f'hash_key: the action "{action}" needs a key; write hash_key = {{ env = "NAME" }}'
        if self.hash_key is not None and len(self.hash_key.reveal()) < MIN_KEY_CHARS:
            yield f"hash_key: must be at least {MIN_KEY_CHARS} characters"
        if self.does("reversible") and self.direction == "response":
            yield 'direction: the action "reversible" puts back what it took out of requests; write "request" or "both"'

    def does(self, action: Action) -> bool:
        """Whether this is done about any value."""
        return action in (self.action, *self.actions.values())

    @property
    def key(self) -> bytes | None:
        """The key of `hash` and `reversible`, where there is one."""
        return self.hash_key.reveal().encode() if self.hash_key is not None else None
