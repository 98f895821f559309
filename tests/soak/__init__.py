"""The long programme: `nox -s soak`."""
