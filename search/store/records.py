"""Frozen read models: what the store hands out."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from search.store.process import ProcessIdentity
from search.trial_states import EventKind, TrialState


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """One search as it was configured.

    Attributes:
        exhausted: why its searcher had nothing left to propose; None while it has.
        uid: 32 hexadecimal digits that no other study has, in whatever store.
        checkpoints: where its checkpoints are, as its last run wrote it down; None before.
        retrains: of a study that trains the best of another one in full, that study's name and what
            was asked for; None of all others.
    """

    id: int
    name: str
    created: datetime
    config: dict[str, Any]
    space: dict[str, Any]
    protocol: dict[str, Any]
    protocol_hash: str
    objective: dict[str, Any]
    planned_trials: int
    searcher: str
    scheduler: str
    seeds: dict[str, Any]
    code_version: str
    exhausted: str | None
    uid: str
    checkpoints: Any
    retrains: Any


@dataclass(frozen=True, slots=True)
class StudySummary:
    """How far a study is.

    Attributes:
        planned_trials: how many architectures it shall try.
        counts: number of trials by state; every state is a key.
        best_accuracy: highest accuracy (0 to 1) of any complete trial; what was pruned does not
            compare.
        is_running: whether a driver works on it now.
        started: when its first run began; None before.
        last_activity: the latest sign of life of any run, or when the study was created.
        exhausted: why its searcher had nothing left to propose; None while it has.
        reused: trials that took over the result of another study's.
        inherited: trials that began with another trial's weights.
        continued: trials that went on after they were pruned.
        repeated: trials of an architecture after its first.
        planned_repeats: how many of these a retraining is to have.
    """

    id: int
    name: str
    created: datetime
    planned_trials: int
    searcher: str
    scheduler: str
    protocol_hash: str
    counts: dict[TrialState, int]
    best_accuracy: float | None
    is_running: bool
    started: datetime | None
    last_activity: datetime
    exhausted: str | None = None
    reused: int = 0
    inherited: int = 0
    continued: int = 0
    repeated: int = 0
    planned_repeats: int = 0

    @property
    def trials(self) -> int:
        """How many trials there are, in whatever state."""
        return sum(self.counts.values())

    @property
    def all_planned_trials(self) -> int:
        """How many trials there shall be, repeats among them that are there or planned."""
        return self.planned_trials + max(self.repeated, self.planned_repeats)

    @property
    def is_done(self) -> bool:
        """Whether all of them have ended."""
        return self.ended_trials >= self.all_planned_trials

    @property
    def ended_trials(self) -> int:
        """How many trials have reached a terminal state."""
        return sum(n for state, n in self.counts.items() if state.is_terminal)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One driver process on a study.

    Attributes:
        host, pid, process_started, boot_id, pid_namespace, start_ticks: of the process, as
            ProcessIdentity says.
    """

    id: int
    study_id: int
    host: str
    pid: int
    process_started: float
    boot_id: str | None
    pid_namespace: str | None
    start_ticks: int | None
    started: datetime
    heartbeat: datetime
    ended: datetime | None
    end_reason: str | None
    machine: dict[str, Any]
    code_version: str

    @property
    def process(self) -> ProcessIdentity:
        """What tells the driver process from every other."""
        names = (field.name for field in fields(ProcessIdentity))
        return ProcessIdentity(*(getattr(self, name) for name in names))


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One architecture in one study.

    Attributes:
        attempts: how often it was started.
        accuracy: validation accuracy (0 to 1) that it is judged by: of the last of its epochs or
            of the best, as the protocol says.
        best_accuracy: highest validation accuracy (0 to 1) of its epochs, reached in `best_epoch`.
        last_accuracy: validation accuracy of `last_epoch`.
        epochs_done: how many epochs are recorded.
        seconds: training time of those epochs.
        repeat: 0 for the study's first trial of the architecture, 1 for its first repeat.
        continued: how often it was pruned and then continued.
        source_trial_id: the trial of another study whose epochs were taken over.
        parent_trial_id: the trial whose weights it began with.
        inherited_along: the way from the parent's network to this one.
        lineage_seconds: training time of all ancestors on whose weights it stands.
    """

    id: int
    study_id: int
    number: int
    architecture_id: str
    state: TrialState
    reason: str | None
    origin: str
    attempts: int
    run_id: int | None
    seeds: dict[str, Any]
    decisions: Any
    accuracy: float | None
    best_accuracy: float | None
    best_epoch: int | None
    last_accuracy: float | None
    last_epoch: int | None
    epochs_done: int
    seconds: float
    repeat: int
    continued: int
    source_trial_id: int | None
    parent_trial_id: int | None
    inherited_along: str | None
    lineage_seconds: float
    created: datetime
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What one epoch reported; None stands for a number that was not finite, or is not known.

    Attributes:
        images_per_second: training images by second of training.
        skipped_steps: steps that changed nothing, as their loss or gradient was not finite.
        peak_memory_bytes: the most memory of a GPU, or of the process on a CPU (`trainers.memory`).
        fused_mixers: token mixers that ran by fused kernels (`space.operator_choice`).
    """

    epoch: int
    train_loss: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float | None
    seconds: float | None
    images_per_second: float | None = None
    skipped_steps: int | None = None
    peak_memory_bytes: int | None = None
    fused_mixers: int | None = None


@dataclass(frozen=True, slots=True)
class ParentRecord:
    """The trial whose weights a new trial begins with.

    Attributes:
        trial_id: of the parent, of any study.
        along: the way from the parent's network to the child's, for people.
    """

    trial_id: int
    along: str


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One thing that happened to a trial of a study.

    Attributes:
        number: its place in the study's log, from 0.
        epoch: the epoch of kind epoch, the last one that was kept of kind forgotten; else None.
    """

    number: int
    trial_id: int
    kind: EventKind
    epoch: int | None


@dataclass(frozen=True, slots=True)
class NetworkRecord:
    """An architecture without its mixers: its canonical JSON and what it costs."""

    json: str
    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class StudyHistory:
    """All that is needed to tell a study again.

    Attributes:
        trials: in order of their numbers.
        curves: the epochs of every trial by trial id, in order; an empty list without any.
        networks: of every trial, by architecture id.
        events: in the order in which they happened. An epoch that was forgotten and never
            recorded again has an event but no metrics.
    """

    trials: list[TrialRecord]
    curves: dict[int, list[EpochRecord]]
    networks: dict[str, NetworkRecord]
    events: list[EventRecord]


@dataclass(frozen=True, slots=True)
class MixerRecord:
    """The token mixer of one block: block `position` of stage `stage`, both from 0."""

    stage: int
    position: int
    locality: str
    channels: str
    rank: str
    sharing: str
    dynamics: str
    kernel_size: int | None
    groups: int | None
    heads: int | None
    ratio: int | None
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class ArchitectureRecord:
    """One architecture.

    Attributes:
        id: hash of the canonical JSON, 16 hexadecimal digits.
        json: the canonical JSON; `space.Architecture.from_json` reads it.
        params: number of parameters.
        macs: multiply-accumulates for one image (what the paper prints as FLOPs).
        depth: number of blocks.
        operators: the distinct mixer names in order, joined by " + ".
        mixers: one per block, in order.
    """

    id: str
    json: str
    params: int
    macs: int
    block_type: str
    depth: int
    operators: str
    mixers: tuple[MixerRecord, ...]


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """What somebody wrote down about an architecture; `id` names it in the whole store."""

    id: int
    architecture_id: str
    created: datetime
    text: str


@dataclass(frozen=True, slots=True)
class TestReadingRecord:
    """One reading of the test split.

    Attributes:
        trial_id: whose weights were tested; None where that was not told.
        read_at: when it began: it is written down before the images are read.
        accuracy: share of the images classified rightly, 0 to 1; None of one that broke off.
        images: how many. chance: share of their commonest class, 0 to 1.
        content_hash: of the images. device: that computed, such as "cuda:0 (NVIDIA H200)".
    """

    __test__ = False

    id: int
    architecture_id: str
    trial_id: int | None
    read_at: datetime
    protocol_hash: str
    accuracy: float | None
    images: int | None = None
    chance: float | None = None
    content_hash: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class LatencySettingRecord:
    """A device, and how latency is measured on it.

    Attributes:
        parts, networks: how many parts, and distinct networks, are measured in it.
    """

    id: str
    created: datetime
    spec: dict[str, Any]
    device: dict[str, Any]
    parts: int
    networks: int


@dataclass(frozen=True, slots=True)
class LatencyRecord:
    """One measurement of a network.

    Attributes:
        median_ms: median wall time of a pass, in milliseconds.
        disturbed: whether the machine was not quiet; `figure` says why.
        measured_for: who wanted it, such as a study or "check".
        figure: the whole figure, as plain values.
    """

    id: int
    setting_id: str
    architecture_id: str
    median_ms: float
    disturbed: bool
    measured_for: str
    figure: dict[str, Any]
