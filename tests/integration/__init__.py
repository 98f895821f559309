"""The whole gateway, from its ways in to a scripted upstream."""
