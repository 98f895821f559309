"""The steps that a server takes as a whole, in Lua: read once, sent by their digest."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from importlib.resources import files

from redis.exceptions import NoPermissionError, NoScriptError, ResponseError

from sentinel_plugins.redis.command import packed
from sentinel_plugins.redis.topology import Topology
from sentinel_plugins.redis.wire import Reply

log = logging.getLogger("sentinel.redis")

Arguments = Sequence[bytes | str | int]


def source(package: str, *names: str) -> str:
    """The named parts in the folder `lua` of a package, one after the other: a server knows no modules."""
    folder = files(package) / "lua"
    return "\n".join((folder / f"{name}.lua").read_text("utf-8") for name in names)


class Script:
    """One step: its text and the digest by which servers remember it; `grows` as in `Node.call`."""

    __slots__ = ("digest", "grows", "name", "text")

    def __init__(self, name: str, text: str, *, grows: bool = True) -> None:
        self.grows = grows
        self.name = name
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Scripts:
    """Runs scripts. Nothing is loaded: a server that does not know a digest is sent the text, and remembers it (R07).

    Where EVALSHA is not allowed, the text is sent always; that works as well, and the same, for more bytes.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._by_digest = True

    async def run(self, script: Script, keys: Sequence[bytes], *arguments: bytes | str | int) -> Reply:
        """Its reply. All keys lie where the first one does."""
        rest = (len(keys), *keys, *arguments)
        if self._by_digest:
            reply = await self._topology.call(keys[0], packed("EVALSHA", script.digest, *rest), grows=script.grows)
            if not isinstance(reply, ResponseError) or not self._refused(reply):
                return reply
        return await self._topology.call(keys[0], packed("EVAL", script.text, *rest), grows=script.grows)

    def _refused(self, reply: ResponseError) -> bool:
        """Whether only the text will do."""
        if isinstance(reply, NoScriptError):
            return True
        forbidden = isinstance(reply, NoPermissionError) and "evalsha" in str(reply).lower()
        unknown = str(reply).lower().startswith("unknown command")
        if (forbidden or unknown) and self._by_digest:
            log.warning("Redis does not take EVALSHA (%s): scripts are sent in full, with every call", reply)
            self._by_digest = False
        return forbidden or unknown
