"""Stages, providers and stores that ship with Sentinel, one folder a concern."""
