"""Zion, a governance system: who a bearer is, what they may use, and where their usage is told."""
