"""Every dialect of a client with every API of an upstream: what was asked arrives there, what was said comes back."""
