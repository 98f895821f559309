"""Keys that say whose they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sentinel_plugins.guarding.entities.entropy import bits_per_character
from sentinel_plugins.guarding.entities.pattern import PatternEntity
from sentinel_plugins.guarding.tail import opening

_ALNUM, _WORD, _URL, _DOTTED = "A-Za-z0-9", "A-Za-z0-9_", "A-Za-z0-9_-", "A-Za-z0-9_.-"
_HEX, _CAPITALS = "0-9a-f", "A-Z0-9"
_LEAST_BITS = 2.0
"""What a placeholder such as `sk-xxxxxxxx` does not have."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the keys of one vendor look: one of the prefixes, then so many of these characters, then none of them."""

    name: str
    prefixes: tuple[str, ...]
    body: str
    least: int
    most: int


FORMS = (
    Form("OPENAI_KEY", ("sk-proj-", "sk-svcacct-", "sk-admin-"), _URL, 20, 240),
    Form("OPENAI_KEY", ("sk-",), _ALNUM, 20, 64),
    Form("ANTHROPIC_KEY", ("sk-ant-",), _URL, 20, 240),
    Form("SENTINEL_KEY", ("sk-sentinel-",), _URL, 60, 60),
    Form("OPENROUTER_KEY", ("sk-or-v1-",), _ALNUM, 32, 80),
    Form("AWS_ACCESS_KEY", ("AKIA", "ASIA", "ABIA", "ACCA"), _CAPITALS, 16, 16),
    Form("GITHUB_TOKEN", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _ALNUM, 36, 250),
    Form("GITHUB_TOKEN", ("github_pat_",), _WORD, 40, 120),
    Form("GITLAB_TOKEN", ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-"), _DOTTED, 20, 240),
    Form("SLACK_TOKEN", ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xapp-"), "A-Za-z0-9-", 10, 240),
    Form("SLACK_WEBHOOK", ("https://hooks.slack.com/services/",), "A-Za-z0-9/", 20, 100),
    Form("STRIPE_KEY", ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"), _ALNUM, 16, 240),
    Form("GOOGLE_API_KEY", ("AIza",), _URL, 35, 35),
    Form("GOOGLE_OAUTH_SECRET", ("GOCSPX-",), _URL, 28, 28),
    Form("GOOGLE_OAUTH_TOKEN", ("ya29.",), _URL, 20, 240),
    Form("AZURE_STORAGE_KEY", ("AccountKey=",), "A-Za-z0-9+/=", 86, 88),
    Form("HUGGINGFACE_TOKEN", ("hf_",), _ALNUM, 30, 60),
    Form("NPM_TOKEN", ("npm_",), _ALNUM, 36, 36),
    Form("PYPI_TOKEN", ("pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"), _URL, 50, 220),
    Form("SENDGRID_KEY", ("SG.",), _DOTTED, 66, 66),
    Form("TWILIO_KEY", ("SK",), _HEX, 32, 32),
    Form("MAILGUN_KEY", ("key-",), _HEX, 32, 32),
    Form("SHOPIFY_TOKEN", ("shpat_", "shpca_", "shppa_", "shpss_"), _HEX, 32, 32),
    Form("DIGITALOCEAN_TOKEN", ("dop_v1_", "doo_v1_", "dor_v1_"), _HEX, 64, 64),
    Form("DATABRICKS_TOKEN", ("dapi",), _HEX, 32, 32),
    Form("GROQ_KEY", ("gsk_",), _ALNUM, 40, 64),
    Form("XAI_KEY", ("xai-",), _ALNUM, 60, 100),
    Form("PERPLEXITY_KEY", ("pplx-",), _ALNUM, 40, 64),
    Form("REPLICATE_TOKEN", ("r8_",), _ALNUM, 37, 40),
    Form("VAULT_TOKEN", ("hvs.", "hvb."), _URL, 24, 200),
    Form("GRAFANA_TOKEN", ("glsa_", "glc_"), _ALNUM + "_+/=", 32, 200),
    Form("DOCKER_TOKEN", ("dckr_pat_",), _URL, 27, 40),
    Form("POSTMAN_KEY", ("PMAK-",), "0-9a-f-", 59, 59),
    Form("NEW_RELIC_KEY", ("NRAK-",), _CAPITALS, 27, 27),
    Form("AGE_KEY", ("AGE-SECRET-KEY-1",), _CAPITALS, 58, 58),
)
"""From the vendors' documentation and GitHub's list of what it scans for:
https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns"""


def _goes_on(form: Form) -> str:
    """What may not stand behind a key: more of it, be it behind punctuation that might as well end a sentence."""
    punctuation = "".join(mark for mark in "_.-" if re.match(rf"[{form.body}]", mark))
    return rf"[{punctuation}]{{0,3}}[{_ALNUM}]" if punctuation else rf"[{form.body}]"


class VendorKey(PatternEntity):
    """One form of one vendor's keys, with a body that is not one letter over and over."""

    def __init__(self, form: Form) -> None:
        """See `FORMS`."""
        prefixes = "|".join(map(re.escape, form.prefixes))
        longest = max(map(len, form.prefixes))
        super().__init__(
            form.name,
            "secret",
            rf"(?<![A-Za-z0-9])(?:{prefixes})[{form.body}]{{{form.least},{form.most}}}(?!{_goes_on(form)})",
            trigger=rf"(?:{prefixes})[{form.body}]{{4}}",
            live="|".join(opening(prefix, f"[{form.body}]*") for prefix in form.prefixes),
            max_length=longest + form.most,
            check=self._random,
        )
        self._body = min(map(len, form.prefixes))

    def _random(self, text: str, start: int, end: int) -> bool:
        return bits_per_character(text[start + self._body : end]) >= _LEAST_BITS


def vendor_keys() -> tuple[VendorKey, ...]:
    """Every form that is known."""
    return tuple(VendorKey(form) for form in FORMS)
