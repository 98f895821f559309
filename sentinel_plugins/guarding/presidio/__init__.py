"""Presidio, in processes of its own. Nothing here imports the rest of the gateway, so that these start quickly."""
