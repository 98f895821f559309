"""docs/how-to/guard-personal-data-and-secrets.md: what the page says of a guard in shadow."""

from __future__ import annotations

import tomllib

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable
from tests.plugins.recording.written import rows
from tests.promises.tree import samples

PAGE = "docs/how-to/guard-personal-data-and-secrets.md"
SAID = "I am ann@acme.com with AKIAIOSFODNN7EXAMPLE"


async def test_in_shadow_nothing_changes_the_audit_says_monitored_and_what_was_found_is_counted() -> None:
    (table,) = (one for one in samples("toml") if one.page == PAGE and one.text.count('mode = "monitor"') == 2)
    stages: TomlTable = tomllib.loads(table.text)["stages"]
    tables = {"stages": {"audit": {}, **stages}, "providers": {"echo": {"models": ["m"]}}}
    async with Gateway(settings_from(tables)) as gateway:
        answer = await gateway.complete({"model": "m", "messages": [{"role": "user", "content": SAID}]})
        (record,) = await rows(gateway.records, "audit", 1)
        counted = {family.name: dict(family.read()) for family in gateway.services.counts}
    assert SAID in answer.body["choices"][0]["message"]["content"]
    assert {(one["guard"], one["result"]) for one in record.fields["verdicts"]} == {
        ("pii", "monitored"),
        ("secrets", "monitored"),
    }
    assert counted["pii_detections"]["EMAIL_ADDRESS", "redact", "request"] == 1
    assert counted["secrets_detections"]["AWS_ACCESS_KEY", "redact", "request"] == 1
