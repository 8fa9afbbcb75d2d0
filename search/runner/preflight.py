"""Checks all of a run that can be checked without Ray, before anything is written."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeVar, get_args

from search.config import Config
from search.driver.checkpoints import Checkpoints
from search.driver.study_setup import initial_points
from search.driver.tracking import refuse_missing_libraries
from search.driver.warm_start import most_warm_points
from search.own_packages import ROOT
from search.query.baseline import ENOUGH, random_points
from search.runner import study_lookup
from search.store import StudyRecord
from search.store.url import is_sqlite, parse_url, sqlite_path
from space.custom import CustomMixer
from space.design import DesignSpace
from space.errors import InputError, Problem, join, refuse
from space.input.paths import is_folder, is_there
from space.operator_choice import chosen
from trainers import DataDescription, DataShape, Protocol, data_shape, describe_data
from trainers.data.image_folder.class_folders import abbreviated
from trainers.latency import refuse_missing
from trainers.protocol import Decoded


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run of which everything has been checked that can be without Ray.

    Attributes:
        config: to run with. remarks: on what of the given one is ignored.
        found: the study, where it is there.
    """

    config: Config
    found: StudyRecord | None
    description: DataDescription
    remarks: list[str]

    @property
    def protocol(self) -> Protocol:
        """The protocol with the hashes of the data in it."""
        return self.description.protocol


def prepare(given: Config, *, resume: bool, say: Callable[[str], None] | None = None) -> Prepared:
    """Check store, study, checkpoints and data; writes nothing.

    Raises:
        InputError: with all that is wrong and quick to see; else with what the pass over the data
            finds, or that they are not those of the study.
    """
    problems = Problems()
    given = problems.attempt(lambda: _with_source(given)) or given
    study = problems.attempt(lambda: _find(given, resume=resume))
    found, config, remarks = study or (None, given, [])
    problems.attempt(lambda: check_checkpoints(folder_in_use(config, found)))
    problems.attempt(lambda: _check_images(config, data_shape(config.data, config.protocol)))
    problems.attempt(lambda: refuse_missing_libraries(config))
    problems.attempt(chosen)  # workers have the same environment, and would fail trial by trial
    problems.attempt(lambda: study_lookup.check_warm_start(config.store, config.warm_start))
    if config.latency is not None:
        spec = config.latency.spec
        problems.attempt(lambda: refuse_missing(spec))
    problems.refuse()  # all that is quick: looking at a million pictures may take an hour
    check_custom_mixers(config.search_space)
    study_lookup.check_same_mixers(config.store, found)
    description = describe_data(config.data, config.protocol, say=say)
    study_lookup.check_same_data(config.store, found, description.protocol)
    return Prepared(config, found, description, remarks)


def check_custom_mixers(space: DesignSpace) -> None:
    """Build every custom mixer of a space once at each map, and see that it is what it says.

    Raises:
        InputError: with what is wrong with each; the places are fields of its registration.
    """
    own = [mixer for mixer in space.mixers() if isinstance(mixer, CustomMixer)]
    if not own:  # to build a module needs torch, and nothing else here does
        return
    checks = import_module("space.operators.custom_checks")
    check, check_size = checks.check_custom_mixer, checks.check_size
    found: dict[Problem, None] = {}
    for mixer, width, size, narrowest in space.custom_places():
        for problem in (check if narrowest else check_size)(mixer, width, size):
            said = f"the mixer {mixer.label!r}: {problem.message}"
            found[Problem(join("space.mixers", problem.where), said)] = None
    refuse(found)
    _refuse_unknown_to_workers(space.plugins, own)


_AS_A_WORKER = """
import json, sys
plugins, mixers = json.load(sys.stdin)
from space.custom import CustomMixer, load_plugins
load_plugins(plugins)
for mixer in mixers:
    CustomMixer.from_dict(mixer).definition
"""


def _refuse_unknown_to_workers(plugins: Sequence[str], mixers: Sequence[CustomMixer]) -> None:
    """Import the plug-ins in a new process, as every worker does, and ask it for the mixers.

    Raises:
        InputError: where="space.plugins", with what that process says.
    """
    asked = json.dumps([list(plugins), [mixer.to_dict() for mixer in mixers]])
    # What Ray gives a worker: the working folder, that of the script, and the environment.
    script = Path(sys.argv[0] or ".").absolute().parent
    places = (str(ROOT), str(Path.cwd()), str(script), os.environ.get("PYTHONPATH"))
    process = subprocess.run(
        [sys.executable, "-P", "-c", _AS_A_WORKER],
        input=asked,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        last = (process.stderr.strip().splitlines() or ["it was ended"])[-1]
        message = f"a new process that imports them does not know the mixers: {last[:300]}"
        raise InputError.of("space.plugins", message)


def folder_in_use(config: Config, found: StudyRecord | None) -> Path:
    """Where checkpoints go: a study that is there has its folder, wherever it is gone on with."""
    if found is None:
        return config.checkpoints
    return Checkpoints.of(found, config.store, config.checkpoints).folder


def _with_source(given: Config) -> Config:
    """The configuration whose protocol names the one of the study that it finetunes.

    Raises:
        InputError: there is no such study, or the protocol names another one.
    """
    name = given.finetune_from
    if name is None:
        return given
    source = study_lookup.find_study(given.store, name)
    if source is None:
        raise InputError.of("finetune_from", f"there is no study {name!r} in the store")
    pinned = given.protocol.source_protocol
    if pinned not in (None, source.protocol_hash):
        message = f"study {name!r} has protocol {source.protocol_hash}; got {pinned}"
        raise InputError.of("protocol.source_protocol", message)
    protocol = given.protocol.model_copy(update={"source_protocol": source.protocol_hash})
    return given.model_copy(update={"protocol": protocol})


def _find(given: Config, *, resume: bool) -> tuple[StudyRecord | None, Config, list[str]]:
    """The study where there is one, the configuration to run with, and remarks on it."""
    found = study_lookup.find_study(given.store, given.study)
    check_store(given.store)
    return found, *study_lookup.resolve(given, found, resume=resume)


def _check_images(config: Config, shape: DataShape) -> None:
    """The space must be for images of the size and number of classes that the data have."""
    space = config.search_space
    wanted = {
        "space.input.channels": (space.input.channels, shape.channels),
        "space.input.height": (space.input.height, shape.height),
        "space.input.width": (space.input.width, shape.width),
        "space.classes": (space.classes, shape.classes),
    }
    hints = _hints(shape)
    problems = [
        Problem(where, f"is {said}, and {shape.name} has {found}{hints.get(where, '')}")
        for where, (said, found) in wanted.items()
        if said != found
    ]
    refuse(problems)


def _hints(shape: DataShape) -> dict[str, str]:
    """What else could be changed, or was counted."""
    classes = {"space.classes": f": {abbreviated(shape.class_names)}"} if shape.class_names else {}
    if shape.name not in get_args(Decoded):
        return classes
    size = "; pictures are brought to protocol.augmentation.image_size: change that, or the space"
    return {
        "space.input.height": size,
        "space.input.width": size,
    } | classes


Result = TypeVar("Result")


class Problems:
    """The problems of checks that do not depend on each other."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def attempt(self, check: Callable[[], Result]) -> Result | None:
        """What the check returns; None when it refuses, which `refuse` then tells."""
        try:
            return check()
        except InputError as error:
            self._found += [p for p in error.problems if p not in self._found]
            return None

    def refuse(self) -> None:
        """Tell everything that was found, if anything was.

        Raises:
            InputError: with the problems of every check.
        """
        if self._found:
            raise InputError(self._found)


def check_store(url: str) -> None:
    """Refuse an SQLite store in a folder that cannot be written; leaves nothing behind.

    Raises:
        InputError: where="store".
    """
    parsed = parse_url(url)
    if not is_sqlite(parsed):
        return
    path = sqlite_path(parsed)
    if is_there(path) and not os.access(path, os.W_OK):
        raise InputError.of("store", f"{path} cannot be written: it is read-only")
    _probe(path.parent, "store")


def check_checkpoints(folder: Path) -> None:
    """Refuse a folder that could not be made; makes nothing yet.

    Raises:
        InputError: where="checkpoints".
    """
    _probe(_nearest(folder.absolute()), "checkpoints")


def make_checkpoints(folder: Path) -> None:
    """Make the folder for checkpoints, and see that files can be written in it.

    Raises:
        InputError: where="checkpoints".
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder {folder} cannot be made: {error.strerror}"
        raise InputError.of("checkpoints", message) from None
    _probe(folder, "checkpoints")


def _nearest(folder: Path) -> Path:
    """The folder itself, or the innermost one above it that is there."""
    return next(path for path in (folder, *folder.parents) if is_there(path))


def _probe(folder: Path, where: str) -> None:
    """A file without a name is the only sure sign: root passes every check of permissions."""
    if not is_there(folder):
        raise InputError.of(where, f"the folder {folder} does not exist")
    if not is_folder(folder):
        raise InputError.of(where, f"{folder} is not a folder")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        message = f"the folder {folder} cannot be written: {error.strerror}"
        raise InputError.of(where, message) from None


def baseline_warning(config: Config) -> str | None:
    """A line for people; None where a comparison can be made, or none was asked for."""
    if not config.random_baseline:
        return None
    first = min(len(initial_points(config)), config.trials)
    random, searched = _sides(config, config.random_baseline, first)
    if min(random, searched) >= ENOUGH:
        return None
    shares = (hundredths / 100 for hundredths in range(1, 100))
    enough = next((s for s in shares if min(_sides(config, s, first)) >= ENOUGH), None)
    way_out = "give more trials" if enough is None else f"random_baseline {enough:g} gives enough"
    beside = f" beside {first:,} initial ones" if first else ""
    return (
        f"warning: random_baseline {config.random_baseline:g} gives {random:,} random and "
        f"{searched:,} searched points in {config.trials:,} trials{beside}; to say what the "
        f"searcher is worth {ENOUGH} of each are needed: {way_out}"
    )


def _sides(config: Config, share: float, first: int) -> tuple[int, int]:
    """How many points are random, and how many at least are the searcher's."""
    random = random_points(share, config.trials, first)
    rest = config.trials - first - random
    warm = min(rest, most_warm_points(config.trials)) if config.warm_start else 0
    return random, rest - warm
