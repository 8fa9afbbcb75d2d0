"""The command line: `python -m search`, or `mixspace`."""

from search.cli.program import main

__all__ = ["main"]
