"""Many trials at once, written past the store's own methods."""

import random

from sqlalchemy import Connection, insert

from search.store import Store, TrialState
from search.store.models import ArchitectureMixerRow, ArchitectureRow, TrialRow, utc_now
from tests.support.samples import mixers

STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)


def add_many_trials(store: Store, study_id: int, count: int, blocks: int = 4) -> None:
    """Adds `count` ended trials of random architectures to a study."""
    store.write(lambda connection: _add(connection, study_id, count, blocks))


def _add(connection: Connection, study_id: int, count: int, blocks: int) -> None:
    rng = random.Random(study_id)
    every = mixers()
    ids = [f"{study_id:04x}{number:012x}" for number in range(count)]
    chosen = [[rng.choice(every) for _ in range(blocks)] for _ in ids]
    connection.execute(
        insert(ArchitectureRow),
        [
            {
                "id": id_,
                "json": "{}",
                "params": rng.randrange(20_000, 2_000_000),
                "macs": rng.randrange(10**6, 10**9),
                "block_type": rng.choice(["conv", "prenorm"]),
                "depth": blocks,
                "operators": " + ".join(dict.fromkeys(mixer.name for mixer in pattern)),
            }
            for id_, pattern in zip(ids, chosen, strict=True)
        ],
    )
    connection.execute(
        insert(ArchitectureMixerRow),
        [
            {
                "architecture_id": id_,
                "stage": 0,
                "position": position,
                "locality": mixer.locality.value,
                "channels": mixer.channels.value,
                "rank": mixer.rank.value,
                "sharing": mixer.sharing.value,
                "dynamics": mixer.dynamics.value,
                "kernel_size": mixer.kernel_size,
                "groups": mixer.groups,
                "heads": mixer.heads,
                "ratio": mixer.ratio,
                "name": mixer.name,
                "label": mixer.label,
            }
            for id_, pattern in zip(ids, chosen, strict=True)
            for position, mixer in enumerate(pattern)
        ],
    )
    now = utc_now()
    connection.execute(
        insert(TrialRow),
        [
            {
                "study_id": study_id,
                "number": number,
                "architecture_id": id_,
                "state": rng.choice(STATES).value,
                "reason": "bulk",
                "origin": "random",
                "attempts": 1,
                "seeds": {"initialisation": number},
                "decisions": None,
                "accuracy": rng.random(),
                "best_accuracy": rng.random(),
                "best_epoch": 3,
                "last_accuracy": rng.random(),
                "last_epoch": 4,
                "epochs_done": 4,
                "seconds": 10.0,
                "created": now,
                "started": now,
                "ended": now,
            }
            for number, id_ in enumerate(ids)
        ],
    )
