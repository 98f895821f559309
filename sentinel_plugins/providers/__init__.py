"""Providers: one folder an upstream API."""
