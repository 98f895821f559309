"""What Sentinel is measured against: the barest proxies that can be built from the same parts, and nginx."""
