"""Searches replayed on the table: simulated workers and simulated time, real proposals."""
