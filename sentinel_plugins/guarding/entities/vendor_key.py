"""Keys that say whose they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sentinel_plugins.guarding.entities.entropy import LEAST_BITS, bits_per_character
from sentinel_plugins.guarding.entities.open_ended import OpenEnded
from sentinel_plugins.guarding.entities.pattern import Check, PatternEntity
from sentinel_plugins.guarding.tail import opening

_ALNUM, _WORD, _URL, _DOTTED = "A-Za-z0-9", "A-Za-z0-9_", "A-Za-z0-9_-", "A-Za-z0-9_.-"
_HEX, _CAPITALS, _BASE64, _PATH = "0-9a-f", "A-Z0-9", "A-Za-z0-9+/=", "A-Za-z0-9/_-"
_HELD = 640
"""Characters that are held of any key that may be longer than those that are known."""
_LONG = 300
"""Characters of a key that is longer than a sentence."""
_READ = 300
"""Characters that are enough to tell it from a placeholder."""
_GITLAB = (
    *("glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-"),
    *("glwt-", "glffct-", "GR1348941"),
)
_SLACK = ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxc-", "xoxe-", "xoxe.xoxb-", "xoxe.xoxp-", "xapp-")
_SLACK_WAYS = ("services", "workflows", "triggers")
_STRIPE = ("sk_live_", "sk_test_", "sk_org_live_", "sk_org_test_", "rk_live_", "rk_test_", "whsec_")


@dataclass(frozen=True, slots=True)
class Form:
    """How the keys of one vendor look: one of the prefixes, then so many of these characters, then none of them."""

    name: str
    prefixes: tuple[str, ...]
    body: str
    least: int
    most: int
    closed: bool = False
    """Whether what is longer is nobody's key. So it is where all are of one length."""


FORMS = (
    Form("OPENAI_KEY", ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"), _URL, 20, 240),
    Form("OPENAI_KEY", ("sk-",), _ALNUM, 20, 64),
    Form("ANTHROPIC_KEY", ("sk-ant-",), _URL, 20, 240),
    Form("SENTINEL_KEY", ("sk-sentinel-",), _URL, 60, 60),
    Form("OPENROUTER_KEY", ("sk-or-v1-",), _ALNUM, 32, 80),
    Form("AWS_ACCESS_KEY", ("AKIA", "ASIA", "ABIA", "ACCA"), _CAPITALS, 16, 16),
    Form("AWS_SESSION_TOKEN", ("IQoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz"), _BASE64, 100, 4000),
    Form("AWS_BEDROCK_KEY", ("ABSKQmVkcm9ja0FQSUtleS", "bedrock-api-key-"), _BASE64, 60, 4000),
    Form("GITHUB_TOKEN", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _ALNUM, 36, 250),
    Form("GITHUB_TOKEN", ("github_pat_",), _WORD, 40, 120),
    Form("GITLAB_TOKEN", _GITLAB, _DOTTED, 20, 240),
    Form("SLACK_TOKEN", _SLACK, "A-Za-z0-9-", 10, 240),
    Form("SLACK_TOKEN", ("xoxd-",), "A-Za-z0-9%/+=_-", 40, 400),
    Form("SLACK_WEBHOOK", tuple(f"https://hooks.slack.com/{way}/" for way in _SLACK_WAYS), "A-Za-z0-9/", 20, 100),
    Form("STRIPE_KEY", _STRIPE, _ALNUM, 16, 240),
    Form("GOOGLE_API_KEY", ("AIza",), _URL, 35, 35),
    Form("GOOGLE_API_KEY", ("AQ.Ab",), _URL, 40, 80),
    Form("GOOGLE_OAUTH_SECRET", ("GOCSPX-",), _URL, 28, 28),
    Form("GOOGLE_OAUTH_TOKEN", ("ya29.",), _DOTTED, 20, 1100),
    Form("GOOGLE_OAUTH_TOKEN", ("1//0",), _URL, 40, 240),
    Form("AZURE_STORAGE_KEY", ("AccountKey=",), _BASE64, 86, 88, closed=True),
    Form("AZURE_SIGNATURE", ("sig=",), "A-Za-z0-9%+/=", 44, 80, closed=True),
    Form("HUGGINGFACE_TOKEN", ("hf_", "api_org_"), _ALNUM, 30, 60),
    Form("NPM_TOKEN", ("npm_",), _ALNUM, 36, 36),
    Form("PYPI_TOKEN", ("pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"), _URL, 50, 220),
    Form("SENDGRID_KEY", ("SG.",), _DOTTED, 66, 66),
    Form("TWILIO_KEY", ("SK",), _HEX, 32, 32),
    Form("MAILGUN_KEY", ("key-",), _HEX, 32, 32),
    Form("SHOPIFY_TOKEN", ("shpat_", "shpca_", "shppa_", "shpss_"), _HEX, 32, 32),
    Form("DIGITALOCEAN_TOKEN", ("dop_v1_", "doo_v1_", "dor_v1_"), _HEX, 64, 64),
    Form("DATABRICKS_TOKEN", ("dapi", "dose"), _HEX, 32, 32),
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
    Form("ATLASSIAN_TOKEN", ("ATATT3xFf", "ATCTT3xFf", "ATSTT3xFf"), "A-Za-z0-9_=-", 60, 260),
    Form("BREVO_KEY", ("xkeysib-", "xsmtpsib-"), "A-Za-z0-9-", 70, 90),
    Form("CIRCLECI_TOKEN", ("CCIPAT_", "CCIPRJ_"), _WORD, 50, 80),
    Form("DISCORD_WEBHOOK", ("discord.com/api/webhooks/", "discordapp.com/api/webhooks/"), _PATH, 60, 120),
    Form("DOPPLER_TOKEN", ("dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim."), _DOTTED, 40, 80),
    Form("DYNATRACE_TOKEN", ("dt0c01.", "dt0s01.", "dt0s16."), "A-Z0-9.", 80, 100),
    Form("ELEVENLABS_KEY", ("sk_",), _HEX, 48, 48),
    Form("FIGMA_TOKEN", ("figd_", "figu_"), _URL, 38, 60),
    Form("LANGSMITH_KEY", ("lsv2_pt_", "lsv2_sk_"), _HEX + "_", 40, 60),
    Form("LINEAR_KEY", ("lin_api_", "lin_oauth_"), _ALNUM, 40, 64),
    Form("NETLIFY_TOKEN", ("nfp_",), _ALNUM, 36, 40),
    Form("NOTION_TOKEN", ("ntn_",), _ALNUM, 40, 60),
    Form("NOTION_TOKEN", ("secret_",), _ALNUM, 43, 43),
    Form("NVIDIA_KEY", ("nvapi-",), _URL, 60, 80),
    Form("ONEPASSWORD_TOKEN", ("ops_eyJ",), _URL, 100, 1200),
    Form("PINECONE_KEY", ("pcsk_",), _WORD, 60, 80),
    Form("PLANETSCALE_TOKEN", ("pscale_tkn_", "pscale_pw_", "pscale_oauth_"), _DOTTED, 30, 64),
    Form("PULUMI_TOKEN", ("pul-",), _HEX, 40, 40),
    Form("RUBYGEMS_KEY", ("rubygems_",), _HEX, 48, 48),
    Form("SENTRY_TOKEN", ("sntrys_", "sntryu_"), _BASE64 + "_", 60, 400),
    Form("SONAR_TOKEN", ("squ_", "sqp_", "sqa_"), _HEX, 40, 40),
    Form("SUPABASE_KEY", ("sbp_",), _HEX, 40, 40),
    Form("SUPABASE_KEY", ("sb_secret_",), _URL, 30, 60),
    Form("TAILSCALE_KEY", ("tskey-",), "A-Za-z0-9-", 24, 100),
    Form("TAVILY_KEY", ("tvly-",), "A-Za-z0-9-", 30, 70),
    Form("TEAMS_WEBHOOK", ("webhook.office.com/webhookb2/",), "A-Za-z0-9/@-", 100, 260),
)
"""From the vendors' documentation and GitHub's list of what it scans for:
https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns"""


def vendor_keys() -> tuple[PatternEntity, ...]:
    """Every form that is known."""
    return tuple(map(_vendor_key, FORMS))


def _vendor_key(form: Form) -> PatternEntity:
    """With a body that is not one letter over and over."""
    prefixes, body = "|".join(map(re.escape, form.prefixes)), f"[{form.body}]"
    begins = rf"(?<![A-Za-z0-9])(?:{prefixes})"
    known = f"{body}{{{form.least},{form.most}}}"
    trigger = rf"(?:{prefixes}){body}{{4}}"
    live = "|".join(opening(prefix, f"{body}*") for prefix in form.prefixes)
    if form.closed or form.least == form.most:
        return PatternEntity(
            form.name,
            "secret",
            begins + known + _goes_on(form),
            trigger=trigger,
            live=live,
            max_length=_longest(form),
            check=_random(form),
        )
    alike = [one for one in FORMS if one.name == form.name]
    is_long = form.most > _LONG
    return OpenEnded(
        form.name,
        "secret",
        rf"{begins}(?:{known}" + (r"(?<!\.))" if is_long else rf"+{_goes_on(form)}|{body}{{{form.most + 1}}})"),
        more=f"{body}*+",
        rest=f"(?:{'|'.join(f'[%{one.body}]' for one in alike)})*+",
        trimmed="." if is_long else "",
        trigger=trigger,
        live=live,
        max_length=max(_HELD, *map(_longest, alike)),
        check=_random(form),
    )


def _longest(form: Form) -> int:
    return max(map(len, form.prefixes)) + form.most


def _goes_on(form: Form) -> str:
    """What may not stand behind a key: more of it, be it behind punctuation that might as well end a sentence."""
    punctuation = "".join(mark for mark in "_.-" if re.match(rf"[{form.body}]", mark))
    return rf"(?![{punctuation}]{{0,3}}[{_ALNUM}])" if punctuation else rf"(?![{form.body}])"


def _random(form: Form) -> Check:
    shortest = min(map(len, form.prefixes))

    def check(text: str, start: int, end: int) -> bool:
        begins = start + shortest
        return bits_per_character(text[begins : min(end, begins + _READ)]) >= LEAST_BITS

    return check
