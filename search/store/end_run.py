"""Ends the run of a driver that is gone. Told by JSON on stdin: `store`, `id` and `reason`."""

import json
import sys

from search.store.database import StoreError
from search.store.open import open_store
from space.errors import InputError


def main() -> int:
    """End the run; 1 where the store does not let itself be written: `--resume` ends it then."""
    told = json.load(sys.stdin)
    try:
        with open_store(told["store"], create=False) as store:
            store.runs.end(told["id"], told["reason"])
    except (StoreError, InputError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
