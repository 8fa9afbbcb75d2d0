"""A trained network of a study, from the checkpoint of its trial."""

from typing import TYPE_CHECKING

from search.query import best, best_within_bounds
from search.runner.trained_weights import checkpoint_of
from search.store import Store, StudyRecord, TrialRecord
from space import Architecture
from space.errors import InputError

if TYPE_CHECKING:
    from torch import nn


def trained_network(
    store: Store, study: StudyRecord, url: str, architecture_id: str | None
) -> "nn.Module":
    """The network of a study's trial with the weights that it is judged by, as of its last epoch.

    Args:
        store: open, and its URL.
        study: of this store.
        architecture_id: the beginning of an id; None takes the most accurate complete trial
            that keeps the bounds of the study.

    Raises:
        InputError: nothing of the kind was trained, or its checkpoint is gone or damaged.
    """
    # torch is heavy, and who looks at a study may have no use for it.
    import torch

    from space.networks import build
    from trainers.checkpoint import load_weights
    from trainers.initial_weights import to_device

    trial = _trial(store, study, architecture_id)
    path = checkpoint_of(store, study, url, trial)
    architecture = Architecture.from_json(store.architectures.get(trial.architecture_id).json)
    network = build(architecture, seed=0)  # drawn for nothing, and not from the user's generator
    expected = {
        "architecture": architecture.id,
        "protocol": study.protocol_hash,
        "epoch": trial.epochs_done,
    }
    load_weights(network, path, expected)
    # Laid out as in the search: sums in another order come out another way in the last digits.
    return to_device(network, torch.device("cpu")).eval()


def _trial(store: Store, study: StudyRecord, architecture_id: str | None) -> TrialRecord:
    if architecture_id is None:
        rows = [row for row in best(store, study=study.name, top=1) if row.is_complete]
        rows = rows and best_within_bounds(store, study.name, 1, "load")
        missing = f"{study.name!r} has no complete trial; name what was pruned by its architecture"
    else:
        found = store.architectures.get(architecture_id).id
        rows = best(store, study=study.name, architecture=found, top=1)
        missing = f"{study.name!r} has no complete or pruned trial of architecture {found}"
    if not rows:
        raise InputError.of("study", missing)
    return store.trials.get(rows[0].trial_id)
