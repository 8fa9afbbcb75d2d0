"""Makes the training of an assignment, in the process that trains it."""

import importlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from space import Architecture, InputError
from space.custom import load_plugins
from trainers import DataConfig, EpochResult, Seeds
from trainers import Protocol as TrainingProtocol

if TYPE_CHECKING:
    from trainers import ParentNetwork, SearchData, SourceNetwork

_LOG = logging.getLogger(__name__)


class WorkerTraining(Protocol):
    """What the worker needs of a training."""

    @property
    def done(self) -> bool:
        """Whether all epochs are trained."""

    @property
    def history(self) -> Sequence[EpochResult | Mapping[str, Any]]:
        """The epochs trained so far, those before a restart included."""

    @property
    def inherited_from(self) -> str | None:
        """Id of the architecture whose weights it began with; asked where one was assigned."""

    def run_epoch(self) -> object:
        """Train and validate one more epoch."""


def made_training(config: Mapping[str, Any]) -> WorkerTraining:
    """The training that the entry point of an assignment makes."""
    module, _, name = config["training"].partition(":")
    make: Callable[[Mapping[str, Any]], WorkerTraining] = getattr(
        importlib.import_module(module), name
    )
    return make(config)


def make_training(config: Mapping[str, Any]) -> WorkerTraining:
    """The real training of an assignment (`Assignment.to_config`)."""
    import torch  # only workers need torch; the driver imports this module too

    from trainers import Training
    from trainers.processes import Processes
    from trainers.runtime import Runtime

    torch.set_num_threads(config["threads"])
    load_plugins(config.get("plugins", ()))
    protocol = TrainingProtocol.from_dict(config["protocol"])
    found = json.dumps(config.get("inspected"), sort_keys=True)
    data = _data(json.dumps(config["data"], sort_keys=True), protocol, found)
    architecture = Architecture.from_json(config["architecture"])

    processes = Processes(**config.get("together", {}))
    options = {name: config[name] for name in ("compile", "grad_checkpointing") if name in config}

    source = _source(config.get("source"))
    checkpoint = Path(config["checkpoint"])
    if config.get("finetune_from") is not None and source is None and not checkpoint.exists():
        message = f"study {config['finetune_from']!r} has no finished training of {architecture.id}"
        raise InputError.of("finetune_from", f"{message}, with its weights")

    def begin(parent: "ParentNetwork | None") -> WorkerTraining:
        return Training(
            architecture,
            protocol,
            data,
            seeds=Seeds(**config["seeds"]),
            device=config["device"],
            checkpoint_path=config["checkpoint"],
            inherit_from=parent,
            start_from=source,
            processes=processes,
            runtime=Runtime(**options),
        )

    return _begin_somehow(begin, checkpoint, _parent(config.get("parent")))


def _parent(config: Mapping[str, Any] | None) -> "ParentNetwork | None":
    from trainers import ParentNetwork

    if config is None:
        return None
    return ParentNetwork(Architecture.from_json(config["architecture"]), Path(config["checkpoint"]))


def _source(config: Mapping[str, Any] | None) -> "SourceNetwork | None":
    """The finished training that a trial starts from: architecture, checkpoint, its protocol."""
    from trainers import SourceNetwork

    if config is None:
        return None
    architecture = Architecture.from_json(config["architecture"])
    protocol = TrainingProtocol.from_stored(config["protocol"])
    names = tuple(config.get("class_names", ()))
    return SourceNetwork(architecture, Path(config["checkpoint"]), protocol, names)


def _begin_somehow(
    begin: "Callable[[ParentNetwork | None], WorkerTraining]",
    checkpoint: Path,
    parent: "ParentNetwork | None",
) -> WorkerTraining:
    """A lost file costs what is in it, but not the trial: its own epochs, or its inheritance."""
    try:
        return begin(parent)
    except InputError as error:
        lost = {problem.where for problem in error.problems}
        if lost == {"checkpoint"} and checkpoint.exists():
            _LOG.warning("%s; the trial begins again", error)
            checkpoint.replace(checkpoint.with_name(checkpoint.name + ".refused"))
            return _begin_somehow(begin, checkpoint, parent)
        if lost == {"parent"} and parent is not None:
            _LOG.warning("%s; the trial begins from scratch", error)
            return begin(None)
        raise


@lru_cache(maxsize=1)
def _data(config: str, protocol: TrainingProtocol, found: str) -> "SearchData":
    """The images, opened once in this process for all trials of a study."""
    from trainers import open_data
    from trainers.data.image_folder.image_index import Inspected

    plain = json.loads(found)
    inspected = None if plain is None else Inspected.from_dict(plain)
    return open_data(DataConfig.from_dict(json.loads(config)), protocol, inspected)
