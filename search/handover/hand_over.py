"""The one call behind `search export` and `Study.export`."""

import os
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from search.handover.candidate import Candidate, find_candidate
from search.handover.known_facts import known_facts, stored_protocol
from search.store.open import open_to_look_up
from space import Architecture
from space.custom.plugins import load_known_plugins
from space.errors import InputError
from trainers import data_shape, describe_data

if TYPE_CHECKING:
    from trainers.export import Exported
    from trainers.export.facts import Latency

Say = Callable[[str], None]


def export(
    store: str,
    architecture: str | None,
    to: str | os.PathLike[str],
    *,
    study: str | None = None,
    trial: int | None = None,
    without: Collection[str] = (),
    force: bool = False,
    latency: "Sequence[Latency]" = (),
    say: Say = lambda text: None,
) -> "Exported":
    """Write a folder with a trained network of a store.

    Args:
        store: its URL.
        architecture: the beginning of an id; None is the best one of the study.
        to: the folder: not there, empty, or with `force` an earlier export.
        study, trial: which training; None is the best complete one, full trainings first.
        without: "onnx", "pt2" or "standalone", to leave these files out.
        force: replace an earlier export.
        latency: measured ones for the model card.
        say: told what is being done.

    Raises:
        InputError: before anything is written, why it cannot be done.
        ExportFailed, NotEqual: as of `trainers.export.export_network`.
        StoreError: the store failed.
    """
    from trainers.export import Preprocessing, Trained, export_network

    with open_to_look_up(store) as opened:
        found = find_candidate(opened, store, architecture, study, trial)
        load_known_plugins(found.study.space)
        network = Architecture.from_json(opened.architectures.get(found.trial.architecture_id).json)
        facts = known_facts(opened, found, latency)
    trained = Trained(
        network,
        found.weights,
        {
            "architecture": network.id,
            "protocol": found.study.protocol_hash,
            "epoch": found.trial.epochs_done,
        },
        _class_names(found, network, say),
        Preprocessing.of(network, stored_protocol(found.study), *_scale(found)),
        facts,
    )
    return export_network(trained, to, without=without, force=force, say=say)


def _scale(found: Candidate) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of the images: as they were, else of the data that are still there.

    Raises:
        InputError: studies of earlier releases did not keep them, and the data are gone.
    """
    told = found.study.objective.get("data") or {}
    if told.get("mean"):
        return tuple(told["mean"]), tuple(told["std"])
    data = describe_data(found.study.config.get("data", {}), stored_protocol(found.study))
    return data.mean, data.std


def _class_names(found: Candidate, network: Architecture, say: Say) -> tuple[str, ...]:
    """As they were when it was trained, else as the data have them now, else numbers."""
    told = found.study.objective.get("data") or {}
    if names := told.get("class_names"):
        return tuple(names)
    try:
        shape = data_shape(found.study.config.get("data", {}), stored_protocol(found.study))
        names = shape.class_names
    except InputError as error:
        say(f"the names of the classes are not known, and are numbers: {error.problems[0]}")
        names = ()
    return names or tuple(map(str, range(network.head.classes)))
