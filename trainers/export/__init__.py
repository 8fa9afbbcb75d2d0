"""A network as files that people ship."""
