"""The chain and everything a plugin author needs."""
