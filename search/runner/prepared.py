"""Checks all of a run that can be checked without Ray, before anything is written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from search.checkpoints import Checkpoints
from search.config import Config
from search.runner import lookup
from search.runner.collect import Problems
from search.runner.places import check_checkpoints, check_store
from search.store import StudyRecord
from space.errors import InputError, Problem
from trainers import DataDescription, Protocol, describe_data
from trainers.data.image_folder.class_folders import abbreviated


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run of which everything has been checked that can be without Ray."""

    config: Config
    found: StudyRecord | None
    description: DataDescription

    @property
    def protocol(self) -> Protocol:
        """The protocol with the hashes of the data in it."""
        return self.description.protocol


def prepare(given: Config, *, resume: bool, say: Callable[[str], None] | None = None) -> Prepared:
    """Check store, study, checkpoints and data; writes nothing.

    Raises:
        InputError: with all that is wrong.
    """
    problems = Problems()
    study = problems.attempt(lambda: _find(given, resume=resume))
    found, config = study or (None, given)
    problems.attempt(lambda: check_checkpoints(folder_in_use(config, found)))
    description = problems.attempt(lambda: describe_data(config.data, config.protocol, say=say))
    if description is not None:
        protocol = description.protocol
        problems.attempt(lambda: _check_images(config, description))
        problems.attempt(lambda: lookup.check_same_data(config.store, found, protocol))
    problems.attempt(lambda: lookup.check_warm_start(config.store, config.warm_start))
    problems.refuse()
    assert description is not None, "refused above"
    return Prepared(config, found, description)


def folder_in_use(config: Config, found: StudyRecord | None) -> Path:
    """Where checkpoints go: a study that is there has its folder, wherever it is gone on with."""
    if found is None:
        return config.checkpoints
    return Checkpoints.of(found, config.store, config.checkpoints).folder


def _find(given: Config, *, resume: bool) -> tuple[StudyRecord | None, Config]:
    """The study where there is one, and the configuration to run with."""
    found = lookup.find_study(given.store, given.study)
    check_store(given.store)
    return found, lookup.resolve(given, found, resume=resume)[0]


def _check_images(config: Config, description: DataDescription) -> None:
    """The space must be for images of the size and number of classes that the data have."""
    space = config.search_space
    wanted = {
        "space.input.channels": (space.input.channels, description.channels),
        "space.input.height": (space.input.height, description.height),
        "space.input.width": (space.input.width, description.width),
        "space.classes": (space.classes, description.classes),
    }
    hints = _hints(description)
    problems = [
        Problem(where, f"is {said}, and {description.name} has {found}{hints.get(where, '')}")
        for where, (said, found) in wanted.items()
        if said != found
    ]
    if problems:
        raise InputError(problems)


def _hints(description: DataDescription) -> dict[str, str]:
    """What else could be changed, or was counted."""
    if description.name != "image-folder":
        return {}
    size = "; pictures are brought to protocol.augmentation.image_size: change that, or the space"
    return {
        "space.input.height": size,
        "space.input.width": size,
        "space.classes": f": {abbreviated(description.class_names)}",
    }
