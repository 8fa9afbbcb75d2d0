"""The command line of the space: `python -m space`, or `mixspace space`. No torch."""

from space.cli.program import command, main

__all__ = ["command", "main"]
