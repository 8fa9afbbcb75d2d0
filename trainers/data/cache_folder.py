"""Where this program keeps what it can do without."""

import os
from pathlib import Path


def cache_folder() -> Path | None:
    """$MIXSPACE_CACHE, or mixspace below the user's cache folder; it may be deleted any time.

    None where the user has no home, as the users without names in containers.
    """
    if given := os.environ.get("MIXSPACE_CACHE"):
        return Path(given)
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "mixspace"
    try:
        return Path.home() / ".cache" / "mixspace"
    except RuntimeError:
        return None
