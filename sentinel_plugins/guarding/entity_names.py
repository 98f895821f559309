"""What can be looked for, by name: for configurations, which are read whether or not a guard is on."""

from __future__ import annotations

STRUCTURED = (
    "CREDIT_CARD", "DATE_OF_BIRTH", "DE_TAX_ID", "EMAIL_ADDRESS", "ES_NIF", "FR_INSEE", "IBAN_CODE", "IP_ADDRESS",
    "IT_FISCAL_CODE", "PHONE_NUMBER", "UK_NHS", "US_SSN",
)  # fmt: skip
"""Personal data that has a form of its own. The names are Presidio's where it has them."""

SECRETS = (
    "AGE_KEY", "ANTHROPIC_KEY", "AWS_ACCESS_KEY", "AZURE_STORAGE_KEY", "CONNECTION_STRING", "DATABRICKS_TOKEN",
    "DIGITALOCEAN_TOKEN", "DOCKER_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "GOOGLE_API_KEY", "GOOGLE_OAUTH_SECRET",
    "GOOGLE_OAUTH_TOKEN", "GRAFANA_TOKEN", "GROQ_KEY", "HUGGINGFACE_TOKEN", "JSON_WEB_TOKEN", "LABELLED_TOKEN",
    "MAILGUN_KEY", "NEW_RELIC_KEY", "NPM_TOKEN", "OPENAI_KEY", "OPENROUTER_KEY", "PERPLEXITY_KEY", "POSTMAN_KEY",
    "PRIVATE_KEY", "PYPI_TOKEN", "REPLICATE_TOKEN", "SENDGRID_KEY", "SENTINEL_KEY", "SHOPIFY_TOKEN", "SLACK_TOKEN",
    "SLACK_WEBHOOK", "STRIPE_KEY", "TWILIO_KEY", "VAULT_TOKEN", "XAI_KEY",
)  # fmt: skip
"""What opens doors."""
