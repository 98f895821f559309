"""What names, scopes and patterns look like, and how many of them somebody may have."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

MAX_SCOPES = 32
MAX_PATTERNS = 100
"""Every request of a key, and every key that it gives away, may be held against all of them."""

TenantName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}\Z",
        description="a letter or digit, then up to 127 letters, digits and any of . _ : @ + -",
    ),
]
Scope = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.:-]{0,63}\Z", description="a lower-case word such as admin")]
Scopes = Annotated[tuple[Scope, ...], Meta(max_length=MAX_SCOPES)]
Pattern = Annotated[
    str,
    Meta(
        pattern=r"^[^&\s*]*(\*[^&\s*]*){0,8}\Z",
        min_length=1,
        max_length=256,
        description="a name in which up to 8 * stand for any characters, such as gpt-4o*",
    ),
]
Allowed = Annotated[tuple[Pattern, ...], Meta(max_length=MAX_PATTERNS)] | None

KEYS = "keys"
"""The scope of those who administer the keys of their own tenant."""
ANONYMOUS = "anonymous"
"""The tenant of everybody who need not say who they are; nobody else may have it."""
DEFAULT_TENANT = "default"
"""The tenant that needs no table."""
