"""The provider: where requests go, what their answers are read by, and what an error means."""

from __future__ import annotations

from typing import ClassVar

from acme_cloud.errors import acme_error
from acme_cloud.replies import AcmeReader
from acme_cloud.requests import acme_request
from sentinel_core.config import HttpUrl
from sentinel_core.context import Call
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import Translated
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.reply import Reply
from sentinel_core.services import HttpClient
from sentinel_core.upstream import BaseUrlConfig, HttpProvider, outgoing_native


class AcmeCloudConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """What `[providers.acme_cloud]` may say: the key, the limits and the models come with `BaseUrlConfig`."""

    base_url: HttpUrl = "https://api.acme.example/v1"
    """The part of the URL before `/speak`."""


class AcmeApi:
    """Acme's wire format, without I/O."""

    def request_body(self, body: JsonValue, model: str) -> Translated:
        """The request as Acme takes it, and what it cannot be told."""
        return acme_request(body, model)

    def reader(self, model: str) -> AcmeReader:
        """Reads the reply to one call."""
        return AcmeReader(model)

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return acme_error(status, body, retry_after_s=retry_after_s)


ACME = AcmeApi()


class AcmeCloud(HttpProvider):
    """Sends chats to `{base_url}/speak`, translated from the client's dialect and back into it.

    Time limits, limits of size, back pressure, broken streams and closing are `HttpProvider`'s.
    """

    name: ClassVar[str] = "acme_cloud"
    Config: ClassVar[type[AcmeCloudConfig]] = AcmeCloudConfig

    def __init__(self, config: AcmeCloudConfig, http: HttpClient) -> None:
        super().__init__(config, http)
        self._speak = f"{config.root()}/speak"

    async def call(self, call: Call) -> Reply:
        """One chat: a whole answer, or a stream once its first words are there."""
        return await self.exchange(
            call,
            self._speak,
            outgoing_native(call, ACME, self.settings.on_unsupported),
            OPENAI_CHAT,
            headers={"X-Acme-Request": call.request_id} if call.request_id else {},
            reader=ACME.reader(call.target.model),
        )

    def error(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """What an error response means."""
        return ACME.error(status, body, retry_after_s=retry_after_s)
