"""The command line: `python -m search`, or `mixspace`."""

from search.cli.main import main

__all__ = ["main"]
