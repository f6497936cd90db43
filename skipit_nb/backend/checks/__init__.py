"""Self-checks of a model under a skip set, before its numbers are trusted."""
