"""What the store knows of a training, as facts of a model card."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from search.driver.provenance import code_version
from search.handover.candidate import Candidate
from search.handover.reproduction import (
    configurations,
    reproducing_commands,
    search_of,
    text_without_places,
    without_places,
)
from search.query import Figures, TrainedResult
from search.store import Store, StudyRecord
from space.errors import InputError
from space.wording import count, duration, some
from trainers import Protocol
from trainers.export.facts import Facts, Figure, Latency, Spent
from trainers.latency import DeviceIdentity, LatencySpec
from trainers.latency import Latency as Measured

_MIT = "MIT (Fashion-MNIST, Zalando SE)"
_LICENCES = {"fashion-mnist": _MIT}
"""Of data that are always the same; of folders nobody knows it."""


def known_facts(store: Store, candidate: Candidate, latency: Sequence[Latency] = ()) -> Facts:
    """All that the store knows of a training that is handed over.

    Args:
        store: open.
        candidate: what is handed over.
        latency: measured by whoever asks, beside those of the store.

    Raises:
        InputError: its protocol cannot be read any more.
    """
    study, trial = candidate.study, candidate.trial
    data = dict(study.objective.get("data") or {})
    search = search_of(store, study)
    where = study.config.get("data", {})
    places = without_places(where)
    remarks = (f"{text_without_places(each, where)}." for each in data.get("remarks", ()))
    return Facts(
        origin=_origin(store, candidate),
        protocol=stored_protocol(study),
        protocol_hash=study.protocol_hash,
        epochs=trial.epochs_done,
        seconds=trial.seconds,
        seeds=trial.seeds,
        data={name: value for name, value in places.items() if value is not None},
        train_images=data.get("train_images"),
        validation_images=data.get("validation_images"),
        figures=tuple(_figures(store, candidate)),
        latency=(*_latencies(store, trial.architecture_id), *latency),
        spent=tuple(_spent(store, candidate, search)),
        data_licence=_LICENCES.get(study.protocol.get("data", "")),
        commands=tuple(reproducing_commands(candidate, search)),
        code_version=study.code_version,
        exported_by=code_version(),
        remarks=(*_history(candidate), *_finetuned(study), *remarks),
        configurations=configurations(candidate, search),
    )


def stored_protocol(study: StudyRecord) -> Protocol:
    """The protocol of a study, with the hashes of its data.

    Raises:
        InputError: it cannot be read any more.
    """
    try:
        return Protocol.from_stored(study.protocol)
    except InputError as error:
        problems = "; ".join(map(str, error.problems))
        message = f"the stored protocol of {study.name!r} cannot be read here: {problems}"
        raise InputError.of("study", message) from None


def _origin(store: Store, candidate: Candidate) -> str:
    trial = candidate.trial
    told = f"trial {trial.number} of study {candidate.study.name}"
    if trial.source_trial_id is None:
        return told
    source = store.trials.get(trial.source_trial_id)
    whose = store.studies.by_id(source.study_id).name
    return f"{told}, taken over from trial {source.number} of study {whose}"


def _history(candidate: Candidate) -> list[str]:
    """What sets the training apart from one that began with random weights and went through."""
    trial, said = candidate.trial, []
    if trial.inherited_along is not None:
        said.append(
            f"The training began with inherited weights ({trial.inherited_along}), behind which "
            f"there are {duration(trial.lineage_seconds)} of training."
        )
    if trial.continued:
        said.append("The training went on after a scheduler had stopped it.")
    return said


def _finetuned(study: StudyRecord) -> list[str]:
    if study.protocol.get("initialisation") != "finetuned":
        return []
    return [
        "The training began with the weights of a finished one of the same network, in study "
        f"{study.config.get('finetune_from')} (protocol {study.protocol.get('source_protocol')}), "
        "which is not in what it took."
    ]


# --- figures --------------------------------------------------------------------------------------

_Group = tuple[bool, str]


def _figures(store: Store, candidate: Candidate) -> Iterable[Figure]:
    """Searches, full trainings and tests, a row for each protocol, and those of the weights."""
    groups: dict[_Group, list[TrainedResult]] = defaultdict(list)
    for result in candidate.others:
        # The same again says nothing of the spread.
        if not (result.took_over and result.trial_id != candidate.trial.id):
            groups[result.retrained, result.protocol_hash].append(result)
    ordered = sorted(groups.items(), key=lambda item: item[0][0])
    chances = _Chances(store)
    for (retrained, _), results in ordered:
        yield from _validation(candidate, chances, results, retrained)
    for (retrained, _), results in ordered:
        yield from _tests(candidate, results, retrained)


class _Chances:
    """What guessing scores on the validation images of each study, and how many these are."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[float | None, int | None]] = {}

    def of(self, study: str) -> tuple[float | None, int | None]:
        if study not in self._known:
            told = self._store.studies.get(study).objective.get("data") or {}
            self._known[study] = told.get("chance"), told.get("validation_images")
        return self._known[study]


def _validation(
    candidate: Candidate, chances: _Chances, results: Sequence[TrainedResult], retrained: bool
) -> Iterable[Figure]:
    found = Figures.of(result.validation_accuracy for result in results)
    chance, images = chances.of(results[0].study)
    protocol_hash = results[0].protocol_hash
    figure = partial(
        Figure, "validation", chance=chance, images=images, protocol_hash=protocol_hash
    )
    by_best = results[0].judged_by == "best"
    own = candidate.result in results
    own_alone = own and len(results) == 1 and not by_best
    if found is not None:
        yield figure(
            _training(results, retrained),
            found.mean,
            found.trainings,
            found.deviation,
            these_weights=own_alone,
            optimistic=by_best,
        )
    # The weights are those of the last epoch, by whichever epoch the trial is judged.
    last = candidate.trial.last_accuracy
    if own and not own_alone and last is not None:
        training = _training([candidate.result], retrained)
        yield figure(training, last, these_weights=True)


def _tests(
    candidate: Candidate, results: Sequence[TrainedResult], retrained: bool
) -> Iterable[Figure]:
    tested = [result for result in results if result.test is not None]
    found = Figures.of(result.test.accuracy for result in tested if result.test is not None)
    if found is None:
        return
    yield _test_figure(tested, _training(tested, retrained), found, candidate)
    if candidate.result in tested and len(tested) > 1:
        only = Figures.of([candidate.result.test.accuracy if candidate.result.test else None])
        assert only is not None
        training = _training([candidate.result], retrained)
        yield _test_figure([candidate.result], training, only, candidate)


def _test_figure(
    tested: Sequence[TrainedResult], training: str, found: Figures, candidate: Candidate
) -> Figure:
    reading = tested[0].test
    assert reading is not None
    return Figure(
        "test",
        training,
        found.mean,
        found.trainings,
        found.deviation,
        chance=reading.chance,
        images=reading.images,
        these_weights=[*tested] == [candidate.result],
        protocol_hash=tested[0].protocol_hash,
    )


def _training(results: Sequence[TrainedResult], retrained: bool) -> str:
    studies = list(dict.fromkeys(result.study for result in results))
    what = "full training in" if retrained else "search in"
    return f"{what} {'study' if len(studies) == 1 else 'studies'} {some(studies)}"


# --- latency --------------------------------------------------------------------------------------


def _latencies(store: Store, architecture_id: str) -> Iterable[Latency]:
    """What was measured of the architecture, on each device the measurement that counts."""
    for setting, (record, *_) in store.latencies.of_architecture(architecture_id):
        spec = LatencySpec.from_dict(setting.spec)
        figure = Measured.from_dict(record.figure)
        threads = "" if spec.threads is None else f"; {count(spec.threads, 'thread')}"
        yield Latency(
            DeviceIdentity.from_dict(setting.device).words + threads,
            spec.runtime,
            spec.precision,
            spec.batch,
            figure.median_ms,
            figure.low_ms,
            figure.high_ms,
            figure.n,
            record.disturbed,
        )


# --- what it took ---------------------------------------------------------------------------------


def _spent(store: Store, candidate: Candidate, search: StudyRecord) -> Iterable[Spent]:
    yield _of_study(store, search, f"the search, study {search.name}")
    if search.id != candidate.study.id:
        only = candidate.trial.architecture_id
        what = f"full trainings of this network, study {candidate.study.name}"
        yield _of_study(store, candidate.study, what, only)


def _of_study(store: Store, study: StudyRecord, what: str, only: str | None = None) -> Spent:
    """What the trials of a study took; what it took over was paid for elsewhere."""
    trials = [
        trial
        for trial in store.trials.of_study(study.id)
        if trial.source_trial_id is None and only in (None, trial.architecture_id)
    ]
    resources = study.config.get("resources", {})
    gpus = float(resources.get("gpus_per_trial") or 0)
    device, share = ("GPU", gpus) if gpus else ("CPU core", resources.get("cpus_per_trial", 1))
    names: dict[str, None] = {}
    for run in store.runs.of_study(study.id):
        cluster = run.machine.get("cluster") or {}
        names |= dict.fromkeys(cluster.get("accelerators") or ()) if gpus else {}
        if not gpus and run.machine.get("processor"):
            names |= {run.machine["processor"]: None}
    seconds = sum(trial.seconds for trial in trials)
    trained = sum(trial.epochs_done > 0 for trial in trials)
    return Spent(what, trained, seconds, device, float(share), tuple(names))
