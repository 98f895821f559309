"""One file per HTTP surface: each maps requests onto the chain and its replies onto HTTP."""
