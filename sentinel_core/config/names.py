"""What may name a table, and so a stage or a provider: what can be part of a variable's name as well."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z][a-z0-9_]*")
NAME_RULE = "a lower-case letter, then lower-case letters, digits and _"
