"""Tokens of an identity provider (OpenID Connect), verified here with its published keys. Needs the extra `auth`."""
