"""What names, scopes and patterns look like."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

TenantName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$",
        description="a letter or digit, then up to 127 letters, digits and any of . _ : @ + -",
    ),
]
Scope = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.:-]{0,63}$", description="a lower-case word such as admin")]
Pattern = Annotated[
    str, Meta(pattern=r"^[^&\s]{1,256}$", description="a name in which * stands for any characters, such as gpt-4o*")
]
Allowed = tuple[Pattern, ...] | None

KEYS = "keys"
"""The scope of those who administer the keys of their own tenant."""
ANONYMOUS = "anonymous"
"""The tenant of everybody who need not say who they are; nobody else may have it."""
DEFAULT_TENANT = "default"
"""The tenant that needs no table."""
