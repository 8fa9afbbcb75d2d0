"""The studies of a campaign, drawn by its seed: what they search, and what is done to them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from tests.campaign.faults import Fault, faults
from tests.search.small import values

_SEARCHERS: list[dict[str, Any]] = [
    {"name": "random"},
    {"name": "tpe", "startup_trials": 3},
    {"name": "evolution", "startup": 3, "population": 4, "tournament": 2},
]
_SCHEDULERS: list[dict[str, Any]] = [
    {"name": "none"},
    {"name": "asha", "grace_epochs": 2, "reduction_factor": 2},
]
_EPOCHS = 6
_FEWEST, _MOST = 4, 6


@dataclass(frozen=True)
class Plan:
    """One study.

    Attributes:
        name: of its folder.
        store: "sqlite" or "postgresql".
        settings: what its configuration has beside its places.
        faults: what is done to it, in this order.
    """

    name: str
    store: str
    settings: dict[str, Any]
    faults: tuple[Fault, ...]

    def write(self, folder: Path, url: str) -> None:
        """Write its configuration into a folder."""
        places = {"store": url, "checkpoints": "checkpoints"}
        (folder / "study.yaml").write_text(yaml.safe_dump(values(**places | self.settings)))


def plans(stores: list[str], seed: int) -> Iterator[Plan]:
    """Plans without end, the stores in turn; those of one seed are always the same."""
    rng = random.Random(seed)
    coming = {store: faults(rng, postgresql=store == "postgresql") for store in stores}
    number = 0
    while True:
        for store in stores:
            number += 1
            given = tuple(islice(coming[store], rng.randint(_FEWEST, _MOST)))
            yield Plan(f"{number:03d}-{store}", store, _settings(rng, len(given)), given)


def _settings(rng: random.Random, hits: int) -> dict[str, Any]:
    """Large enough that some of its trials are left for every fault."""
    scheduler = rng.choice(_SCHEDULERS)
    trials = 2 * hits + (4 if scheduler["name"] == "asha" else 0)
    start = rng.choice(["scratch", "inherited"])
    return {
        "study": "campaign",
        "trials": trials,
        "seed": rng.randrange(2**31),
        "searcher": rng.choice(_SEARCHERS),
        "scheduler": scheduler,
        "protocol": {
            "epochs": _EPOCHS,
            "batch_size": 20,
            "warmup_epochs": 1,
            "initialisation": start,
        },
        "data": {"name": "fashion-mnist", "limit_train": 600, "limit_validation": 100},
        "retries": 100,
        # Longer than a worker takes to begin on a busy machine, and than any server is away.
        "trial_time_limit": 90,
        "store_patience": 120,
    }
