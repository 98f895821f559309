"""The tests mirror the package tree; `tests.upstream` is the scripted upstream they share."""
