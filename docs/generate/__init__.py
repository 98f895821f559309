"""Writes the reference pages that can be read out of the code; `python -m docs.generate` from the root."""
