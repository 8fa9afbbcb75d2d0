"""The one call behind `search export` and `Study.export`."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from search.handover.candidate import Candidate, find_candidate
from search.handover.known_facts import known_facts, stored_protocol
from search.store.open import open_to_look_up
from space import Architecture
from space.custom.plugins import load_known_plugins
from space.errors import InputError
from trainers import Protocol, data_shape, describe_data
from trainers.data.describe import IMAGENET_MEAN, IMAGENET_STD
from trainers.protocol import Decoded

if TYPE_CHECKING:
    from trainers.export import Exported, Preprocessing
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
        latency: measured ones for the model card, beside those of the store.
        say: told what is being done.

    Raises:
        InputError: before anything is written, why it cannot be done.
        ExportFailed, NotEqual: as of `trainers.export.export_network`.
        StoreError: the store failed.
    """
    from trainers.export import Trained, export_network

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
        preprocessing_of(found, network),
        facts,
    )
    return export_network(trained, to, without=without, force=force, say=say)


def _class_names(found: Candidate, network: Architecture, say: Say) -> tuple[str, ...]:
    """As they were when it was trained, else as the data have them now, else numbers."""
    if names := _told(found).get("class_names"):
        return tuple(names)
    try:
        names = data_shape(*_data(found)).class_names
    except InputError as error:
        say(f"the names of the classes are not known, and are numbers: {error.problems[0]}")
    return names or tuple(map(str, range(network.head.classes)))


def preprocessing_of(found: Candidate, network: Architecture) -> "Preprocessing":
    """What its validation images underwent.

    Raises:
        InputError: the store does not say by what images were normalised, as that of an earlier
            release, and the data are not there any more.
    """
    from trainers.export import Preprocessing

    told, protocol = _told(found), stored_protocol(found.study)
    if "mean" in told:
        scale = told["mean"], told["std"]
    elif protocol.data in get_args(Decoded):
        scale = IMAGENET_MEAN, IMAGENET_STD
    else:
        described = describe_data(*_data(found))
        scale = described.mean, described.std
    return Preprocessing.of(network, protocol, *scale)


def _told(found: Candidate) -> Mapping[str, Any]:
    told: Mapping[str, Any] = found.study.objective.get("data") or {}
    return told


def _data(found: Candidate) -> tuple[Mapping[str, Any], Protocol]:
    return found.study.config.get("data", {}), stored_protocol(found.study)
