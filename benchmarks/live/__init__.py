"""Searches with real training, at equal CPU seconds."""
