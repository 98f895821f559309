"""A Zion of its own: users, limits and usage, and failures on demand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sentinel_core.json_types import JsonObject, JsonValue
from tests.plugins.auth.web import Answer, Web

KEY = "zion-service-key-0001"


class ZionServer:
    """Answers as Zion does. `usage` is its meter, which hears an idempotency key once; `fail` is the next answers'
    status, or "down", `ill` the status of what is told of one user, and what a user has no limit for is 404."""

    def __init__(self) -> None:
        self.web = Web(self._answer)
        self.users: dict[str, dict[str, Any]] = {}  # JSON, by token
        self.limits: dict[str, list[dict[str, Any]]] = {}  # JSON, by external id
        self.usage: dict[str, int] = {}
        self.bodies: list[JsonObject] = []
        self.heard: set[str] = set()
        self.fail: dict[str, list[int | str]] = {}
        self.ill: dict[str, int] = {}

    def user(self, token: str, external_id: str, **limits: int) -> None:
        """Somebody with these limits, of which nothing is used."""
        self.users[token] = {"id": "u1", "email": f"{external_id}@zion.test", "externalId": external_id}
        self.limits[external_id] = [limit(name, left) for name, left in limits.items()]

    def asked(self, tail: str) -> int:
        """How often a path with this ending was asked."""
        return sum(asked.endswith(tail) for asked in self.web.asked)

    def _answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        kind = path.removeprefix("/api/v1/").partition("/")[0]
        if failures := self.fail.get(kind):
            status = failures[0] if failures[0] == "down" or len(failures) == 1 else failures.pop(0)
            return None if status == "down" else (int(status), b"{}")
        assert headers["x-api-key"] == KEY
        if kind == "users":
            user = self.users.get(headers["authorization"].removeprefix("Bearer "))
            return _data(user) if user is not None else (401, b"{}")
        if kind == "limits":
            limits = self.limits.get(path.rpartition("/")[2])
            return _data(limits) if limits is not None else (404, b"{}")
        return self._increment(headers["idempotency-key"], json.loads(body))

    def _increment(self, key: str, body: JsonObject) -> Answer:
        self.bodies.append(body)
        user, name = body.get("externalId", ""), body.get("limitName")
        if user in self.ill:
            return self.ill[user], b"{}"
        if name is not None and all(limit["name"] != name for limit in self.limits[user]):
            return 404, b"{}"
        if key not in self.heard:
            self.heard.add(key)
            told = {name: body[name] for name in ("aiInputTokens", "aiOutputTokens", "aiRequests") if name in body}
            for name, amount in (told or {body.get("limitName", ""): body.get("amount", 1)}).items():
                self.usage[name] = self.usage.get(name, 0) + amount
        return _data({})


def limit(name: str, left: int) -> JsonObject:
    """One limit with so much left."""
    return {
        "limitId": "l1",
        "name": name,
        "displayName": name,
        "unit": "tokens",
        "limit": 1000,
        "used": 1000 - left,
        "remaining": left,
        "resetPeriod": "DAILY",
        "periodStart": "2026-11-28T00:00:00Z",
        "periodEnd": "2026-11-29T00:00:00Z",
    }


def _data(value: JsonValue) -> Answer:
    return 200, json.dumps({"success": True, "data": value}).encode()
