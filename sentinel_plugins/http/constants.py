"""What every request to an upstream has in common."""

READ_BUFFER_BYTES = 1 << 16
"""Where aiohttp starts to hold the upstream back: a stream whose client is slow holds about twice this."""

HEADERS = {"Accept-Encoding": "identity", "User-Agent": "sentinel-gateway"}
"""Nothing is asked for compressed: it would only be unpacked here. Nor is the client library anybody's business."""
