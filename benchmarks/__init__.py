"""Benchmarks of Sentinel against what it is built on and what it is compared with. See README.md."""
