"""A bar on stderr, so that stdout has the data alone."""

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn


def bar_on_stderr() -> Progress:
    """How many of how many are done, and how long the rest may take."""
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))
