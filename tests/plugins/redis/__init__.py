"""What the stores in Redis share."""
