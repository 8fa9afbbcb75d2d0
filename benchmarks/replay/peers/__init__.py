"""Searches of other projects, written over plain parameters as their documentation shows."""
