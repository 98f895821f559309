"""What the stores in Redis share: connections, the breaker, a Cluster's topology, scripts. No plugin."""
