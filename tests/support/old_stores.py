"""Store files as earlier versions left them."""

import sqlite3
from contextlib import closing
from pathlib import Path

DUMPS = sorted((Path(__file__).parents[1] / "store" / "old").glob("revision_*.sql"))
"""One of each schema that there was, the oldest first."""


def old_store(path: Path, dump: Path | str) -> Path:
    """Write the file of an earlier schema, and return its path.

    Args:
        path: of the file. dump: of `DUMPS`, or its number such as "0002".
    """
    if isinstance(dump, str):
        (dump,) = [each for each in DUMPS if each.stem == f"revision_{dump}"]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text())
    return path
