"""A small real configuration, and what the tests of the runner share."""

import copy
from pathlib import Path
from typing import Any

from search.config import Config

SPACE: dict[str, Any] = {
    "name": "tiny",
    "input": {"channels": 1, "size": 28},
    "classes": 10,
    "stem": {"patch_size": 7},
    "block_type": "conv",
    "mixers": [
        {"operator": ["dw-s conv.", "conv."], "kernel_size": [3, 5]},
        {"operator": "vit", "heads": 4},
        {"operator": "sep. mlp", "heads": 1},
    ],
    "stages": [{"depth": [1, 2], "width": [16, 32], "mlp_ratio": 2}],
}

VALUES: dict[str, Any] = {
    "study": "tiny",
    "space": SPACE,
    "data": {"name": "fashion-mnist", "limit_train": 200, "limit_validation": 100},
    "protocol": {"epochs": 2, "batch_size": 50, "warmup_epochs": 0.5},
    "searcher": {"name": "random"},
    "scheduler": {"name": "none"},
    "trials": 5,
    "initial": [],
}


def values(**changes: Any) -> dict[str, Any]:
    """The configuration as parsed YAML, with top-level fields changed."""
    return copy.deepcopy(VALUES) | changes


def config(folder: Path, **changes: Any) -> Config:
    """The checked configuration, with its store and checkpoints in a folder."""
    places = {"store": str(folder / "tiny.db"), "checkpoints": str(folder / "checkpoints")}
    return Config.from_dict(values(**places | changes))


class Silent:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def show(self, progress: object) -> None:
        pass
