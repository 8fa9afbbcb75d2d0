"""Reads of the store that the pages need: filtered, aggregated by the database, cached shortly."""
