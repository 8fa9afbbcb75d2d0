"""How the space is explored: searchers, schedulers, the runner, the store and queries."""
