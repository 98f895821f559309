"""The action `reversible`: what goes to a model in the place of a value, and what comes back from it."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256
from itertools import count

import msgspec

from sentinel_core.context import Context
from sentinel_core.keys import PRINCIPAL
from sentinel_core.messages import Request
from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.replacing import redacted
from sentinel_plugins.pii.conversation import opening
from sentinel_plugins.pii.placeholder import upper
from sentinel_plugins.pii.restoring import AnyValue, restored
from sentinel_plugins.pii.vault import Vault

_encode = msgspec.json.Encoder().encode


class TakenOut:
    """Puts the values of one request into a vault, which is made for the first of them."""

    def __init__(self, key: bytes, ctx: Context) -> None:
        principal = ctx.get(PRINCIPAL)
        self._key = key
        self._who = (principal.tenant, principal.kind, principal.id) if principal is not None else ()
        self._request = ctx.request
        self.vault: Vault | None = None

    def __call__(self, found: Found, value: str) -> str:
        """What stands for the value."""
        if self.vault is None:
            self.vault = vault_for(self._key, self._who, self._request)
        return self.vault.put(value)


class SaidAgain:
    """Of the values in a reply, those of the request are the caller's own and get what stands for them; what the model
    made of them, such as an address of what stands for a name, stays. No other can be put back, and is redacted."""

    def __init__(self, vault: Vault | None) -> None:
        self._vault = vault

    def __call__(self, found: Found, value: str) -> str:
        """What stands for the value, the value itself, or its kind."""
        if self._vault is None:
            return redacted(found, value)
        known = self._vault.placeholder(value)
        return known or (value if self._vault.stands_in(value) else redacted(found, value))


def vault_for(key: bytes, who: Sequence[str], request: Request) -> Vault:
    """An empty vault for the values of this request of `who`. Its nonce is the same in all requests of a conversation,
    and drawn again where the request itself has a text that would be taken for a placeholder."""
    begins = list(opening(request))
    for draw in count():
        message = _encode(["reversible", who, begins, draw])
        vault = Vault(hmac.digest(key, message, sha256))
        if not _occurs(vault.nonce, request):
            return vault
    raise AssertionError  # unreachable: `count` does not end


def _occurs(nonce: str, request: Request) -> bool:
    """Whether a text would not come back as it is."""
    for slot in request.texts():
        if nonce in upper(slot.text):
            text = restored(AnyValue(nonce), json=slot.kind == "tool_arguments")
            if text.feed(slot.text, end=True) != slot.text:
                return True
    return False
