"""Where this program keeps what it can do without."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """$MIXSPACE_CACHE, or mixspace below the user's cache folder; it may be deleted any time."""
    if given := os.environ.get("MIXSPACE_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mixspace"
