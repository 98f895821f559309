"""A configuration with authentication, limits, a budget and the ledger, none of which ever refuses."""

from __future__ import annotations

from collections.abc import Mapping

PLENTY = 1_000_000_000
KEY = "sk-of-the-benchmark-0001"
KEY_VARIABLE = "BENCH_KEY"
HEADERS: Mapping[str, str] = {"authorization": f"Bearer {KEY}"}

AUTH = f"""
[stages.auth.keys.bench]
secret = {{ env = "{KEY_VARIABLE}" }}
"""
USAGE = """
[stages.usage]
"""


def limits(reserve: str) -> str:
    """Limits of requests, tokens and places, and a budget, of the caller's tenant and of an address.

    `reserve` is "upper_bound", by the bytes of the prompt, or "estimate", by its tokens.
    """
    each = "".join(
        f"[stages.rate_limit.{subject}]\n"
        f"requests_per_minute = {PLENTY}\n"
        f"tokens_per_minute = {PLENTY}\n"
        "max_concurrency = 1000\n"
        "monthly_usd = 1000000.0\n"
        for subject in ("tenant", "address")
    )
    return f'\n[stages.rate_limit]\nreserve = "{reserve}"\n{each}'
