"""A real Redis for tests: the server as a process, and what goes wrong between it and the gateway."""
