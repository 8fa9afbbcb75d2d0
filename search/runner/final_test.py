"""The test: one audited reading of the test split for each finished training of chosen networks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from search.config import Config, Override
from search.config.differences import SAME_IMAGES, differences
from search.config.overrides import WHERE, apply_overrides
from search.query import (
    SplitComparison,
    TrainedResult,
    best_within_bounds,
    compare_splits,
    trained_results_of_study,
)
from search.runner.going_on import refuse_wrong_counts, stored_config
from search.runner.preflight import Problems
from search.runner.trained_weights import checkpoint_of
from search.store import Store, StudyRecord, open_store
from search.store.open import open_to_look_up
from search.store.test_readings import already_read
from space import Architecture
from space.custom.plugins import load_known_plugins
from space.errors import InputError, Problem, refuse
from space.surface import surface
from space.wording import count, percent, some
from trainers import DataConfig, Protocol, TestReading, describe_data
from trainers.data.held_out_test import refuse_if_locked

if TYPE_CHECKING:
    import torch

Say = Callable[[str], None]
MOST_TOP = 1000


@dataclass(frozen=True, slots=True)
class FinalTest:
    """A test of which everything has been checked that can be without reading test images.

    Attributes:
        url: of the store. study: of the trainings.
        protocol: of the study, with the hashes of its data. data: where the images lie.
        trainings: whose weights are tested. checkpoints: their files, by ids of the trials.
        device: that computes.
        again: whether the test may have been read for them before.
        notes: what is to be known beforehand.
    """

    url: str
    study: StudyRecord
    protocol: Protocol
    data: DataConfig
    architectures: Mapping[str, Architecture]
    trainings: tuple[TrainedResult, ...]
    checkpoints: Mapping[int, Path]
    device: "torch.device"
    again: bool
    notes: tuple[str, ...]

    def run(self, say: Say) -> SplitComparison:
        """Read the test split for each training; what is known of their networks afterwards.

        A reading is in the store before its images are read, and its accuracy as soon as it is
        known: what an interrupt leaves is a reading without one.

        Raises:
            TestSplitLocked: while a search is running in this process or a parent of it.
            InputError: somebody else has read it meanwhile, or a file has changed since.
        """
        with open_store(self.url, create=False) as store:
            for number, training in enumerate(self.trainings, 1):
                accuracy = self._read(store, training)
                say(
                    f"{number} of {len(self.trainings)}: trial {training.trial} "
                    f"({training.architecture_id}) scores {percent(accuracy)} on the test."
                )
            ids = {training.architecture_id for training in self.trainings}
            return compare_splits(store, self.study.name, ids)

    def _read(self, store: Store, training: TrainedResult) -> float:
        from trainers.evaluation import finished_network, read_test

        architecture = self.architectures[training.architecture_id]
        path = self.checkpoints[training.trial_id]
        network = finished_network(architecture, path, self.protocol)
        record = partial(self._record, store, training.trial_id, {})
        return read_test(
            network, architecture.id, self.protocol, self.data, record, device=self.device
        )

    def _record(
        self, store: Store, trial_id: int, begun: dict[str, int], reading: TestReading
    ) -> None:
        """Write down what is about to be read, and then what came of it."""
        if reading.accuracy is not None:
            store.test_audit.complete(begun[reading.id], reading.accuracy)
            return
        begun[reading.id] = store.test_audit.begin(
            trial_id,
            protocol_hash=reading.protocol_hash,
            images=reading.images,
            chance=reading.chance or 0.0,
            content_hash=reading.content_hash,
            device=_name_of(self.device),
            again=self.again,
        ).id


def to_test(
    store: str,
    *,
    ids: Sequence[str] = (),
    study: str | None = None,
    top: int | None = None,
    again: bool = False,
    device: str | None = None,
    overrides: Sequence[str | Override] = (),
    say: Say | None = None,
) -> FinalTest:
    """What reads the test split for chosen networks, every complete training of theirs.

    Args:
        store: where they are.
        ids: beginnings of architectures' ids; or
        study: of whose networks the `top` best by validation are tested, of those that keep its
            bounds; 1 unless given.
        again: test also what was tested before; the store keeps and counts every reading.
        device: such as "cuda:1"; None takes the GPU where there is one, else the CPU.
        overrides: of where the images lie now, such as data.folder.
        say: told how far the pass over the data is.

    Raises:
        TestSplitLocked: while a search is running in this process or a parent of it.
        InputError: whatever stands against it; nothing was read or written.
    """
    refuse_if_locked()
    _refuse_wrong_choice(ids, study, top)
    refuse_wrong_counts(top=(top, 1, MOST_TOP))
    chosen_device = device_of(device)
    with open_to_look_up(store) as opened:
        record = _study(opened, study, ids)
        load_known_plugins(record.space)
        config = _moved(stored_config(store, record.name), overrides)
        trainings, read = _unread(_chosen(opened, record, ids, top or 1), again=again)
        checkpoints = _files(opened, record, store, trainings)
        networks = {
            each.architecture_id: Architecture.from_json(
                opened.architectures.get(each.architecture_id).json
            )
            for each in trainings
        }
        notes = [*read, *_notes(opened, record, trainings)]
    protocol = describe_data(config.data, _protocol(record), say=say).protocol
    _check_weights(trainings, networks, checkpoints, protocol)
    return FinalTest(
        url=store,
        study=record,
        protocol=protocol,
        data=config.data,
        architectures=networks,
        trainings=tuple(trainings),
        checkpoints=checkpoints,
        device=chosen_device,
        again=again,
        notes=tuple(notes),
    )


def _refuse_wrong_choice(ids: Sequence[str], study: str | None, top: int | None) -> None:
    say = surface()
    if ids and top is not None:
        message = f"does not go with ids ({', '.join(ids)}): they are the choice already"
        raise InputError.of(say.field("top"), message)
    if not ids and study is None:
        message = f"name architectures by their ids, or a study by {say.given('study', 'NAME')}"
        raise InputError.of("architecture", message)


def _study(store: Store, study: str | None, ids: Sequence[str]) -> StudyRecord:
    """The study whose trainings are tested: where several have some, that of full trainings.

    Raises:
        InputError: there is none, or several could be meant.
    """
    if study is not None:
        return store.studies.get(study)
    problems, able = Problems(), None
    for id_ in ids:
        found = problems.attempt(partial(_complete_in, store, id_))
        able = found if able is None else able & (found or set())
    problems.refuse()
    records = [store.studies.by_id(each) for each in sorted(able or ())]
    full = [record for record in records if record.retrains is not None]
    one = full if len(full) == 1 else records
    if len(one) == 1:
        return one[0]
    field = surface().field("study")
    if not records:
        raise InputError.of(field, "no study has complete trials of all of them")
    names = some([record.name for record in records])
    raise InputError.of(field, f"name the study whose trainings are meant: {names}")


def _complete_in(store: Store, id_: str) -> set[int]:
    """The ids of the studies that have trained an architecture completely."""
    trials = store.trials.of_architecture(store.architectures.get(id_).id)
    return {trial.study_id for trial in trials if trial.state == "complete"}


def _chosen(store: Store, study: StudyRecord, ids: Sequence[str], top: int) -> list[TrainedResult]:
    """The complete trainings of the chosen networks, those of one network together.

    Raises:
        InputError: a network has none.
    """
    results = trained_results_of_study(store, study.name)
    if not ids:
        rows = best_within_bounds(store, study.name, top, "test")
        wanted = [row.architecture_id for row in rows]
    else:
        problems = Problems()
        with_results = partial(_with_results, store, study, results)
        found = [problems.attempt(partial(with_results, id_)) for id_ in ids]
        problems.refuse()
        wanted = [id_ for id_ in dict.fromkeys(found) if id_ is not None]
    return [result for id_ in wanted for result in results if result.architecture_id == id_]


def _with_results(
    store: Store, study: StudyRecord, results: Sequence[TrainedResult], id_: str
) -> str:
    whole = store.architectures.get(id_).id
    if all(result.architecture_id != whole for result in results):
        message = f"{whole} has no complete trial in {study.name!r}: only those are tested"
        raise InputError.of("architecture", message)
    return whole


def _unread(
    trainings: Sequence[TrainedResult], *, again: bool
) -> tuple[list[TrainedResult], list[str]]:
    """The trainings whose weights are to be tested, and a note on those that were before.

    Raises:
        InputError: all of them were, and not `again`.
    """
    before = [] if again else [training for training in trainings if training.readings]
    if len(before) == len(trainings):
        refuse(
            Problem(f"trial {each.trial} of {each.study}", already_read(each.readings))
            for each in before
        )
    left = [training for training in trainings if training not in before]
    if not before:
        return left, []
    said = f"{len(before)} of {count(len(trainings), 'training')} were tested before: left as it is"
    return left, [f"{said}."]


def _files(
    store: Store, study: StudyRecord, url: str, trainings: Sequence[TrainedResult]
) -> dict[int, Path]:
    """The checkpoints by ids of the trials.

    Raises:
        InputError: with every one that is gone.
    """
    problems, found = Problems(), {}
    for each in trainings:
        trial = store.trials.get(each.trial_id)
        path = problems.attempt(partial(checkpoint_of, store, study, url, trial))
        if path is not None:
            found[each.trial_id] = path
    problems.refuse()
    return found


def _protocol(study: StudyRecord) -> Protocol:
    """That of the study, for the very images that it was trained on."""
    return Protocol.from_stored(study.protocol)


def _moved(config: Config, overrides: Sequence[str | Override]) -> Config:
    """The configuration with where its images lie now.

    Raises:
        InputError: naming every other field that is set.
    """
    if not overrides:
        return config
    changed = Config.from_dict(apply_overrides(config.to_dict(), overrides, dict))
    refuse(
        Problem(WHERE, f"{path} stays as it is; what may change: {', '.join(SAME_IMAGES)}")
        for path, _, _ in differences(config.to_dict(), changed.to_dict())
        if path not in SAME_IMAGES
    )
    return changed


def _check_weights(
    trainings: Sequence[TrainedResult],
    networks: Mapping[str, Architecture],
    checkpoints: Mapping[int, Path],
    protocol: Protocol,
) -> None:
    """Load every file once, before anything is read.

    Raises:
        InputError: with every one that is missing, damaged, or of something else.
    """
    from trainers.evaluation import finished_network

    problems = Problems()
    for each in trainings:
        network, path = networks[each.architecture_id], checkpoints[each.trial_id]
        problems.attempt(partial(finished_network, network, path, protocol))
    problems.refuse()


def device_of(wanted: str | None) -> "torch.device":
    """The device that computes.

    Raises:
        InputError: there is none of that name here.
    """
    import torch

    if wanted is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        said = str(error).partition("\n")[0]
        raise InputError.of("device", f"{wanted!r} cannot be used here: {said}") from None
    return device


def _name_of(device: "torch.device") -> str:
    """A device as the store keeps it."""
    import torch

    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"


def _notes(store: Store, study: StudyRecord, trainings: Sequence[TrainedResult]) -> list[str]:
    said = []
    networks = len({training.architecture_id for training in trainings})
    if networks > 1:
        said.append(
            f"{count(networks, 'network')} are tested: the best of them by the test is optimistic."
        )
    names = [study.name] if study.retrains is None else [study.name, study.retrains["study"]]
    at_work = [s.name for s in store.studies.summaries() if s.name in names and s.is_running]
    said += [
        f"{name!r} is being worked on: what is best may change yet, and the test is read once."
        for name in at_work
    ]
    if not any(training.retrained for training in trainings) and study.retrains is None:
        said.append(
            f"{study.name!r} is a search: what is tested was chosen, and not trained anew; "
            "`retrain` does that."
        )
    return said
