"""Architectures, studies and trials to fill stores with."""

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

from search.store import (
    EpochRecord,
    ProcessIdentity,
    RunRecord,
    Store,
    StudyRecord,
    TrialRecord,
)
from space.architecture import Architecture, Head, Input, Stage, Stem
from space.mixer import Mixer

MIXERS: tuple[dict[str, Any], ...] = (
    {
        "locality": "sliding",
        "channels": "separable",
        "rank": "full",
        "sharing": "position",
        "dynamics": "static",
    },
    {
        "locality": "sliding",
        "channels": "separable",
        "rank": "full",
        "sharing": "position",
        "dynamics": "homogeneous",
    },
    {
        "locality": "sliding",
        "channels": "dense",
        "rank": "full",
        "sharing": "position",
        "dynamics": "static",
    },
    {
        "locality": "window",
        "channels": "separable",
        "rank": "full",
        "sharing": "channel",
        "dynamics": "attention",
        "heads": 2,
    },
    {
        "locality": "global",
        "channels": "separable",
        "rank": "full",
        "sharing": "channel",
        "dynamics": "attention",
        "heads": 4,
    },
    {
        "locality": "global",
        "channels": "separable",
        "rank": "full",
        "sharing": "channel",
        "dynamics": "static",
    },
    {
        "locality": "sliding",
        "channels": "dense",
        "rank": "channel",
        "sharing": "position",
        "dynamics": "static",
        "ratio": 4,
    },
    {
        "locality": "sliding",
        "channels": "grouped",
        "rank": "full",
        "sharing": "position",
        "dynamics": "static",
        "groups": 4,
    },
)
"""Eight mixer types, all but the last named by the paper."""


@cache
def mixers() -> list[Mixer]:
    """The mixer types above with kernel sizes 3 and 5 where they have one."""
    found = []
    for values, kernel in itertools.product(MIXERS, (3, 5)):
        if values["locality"] != "global":
            found.append(Mixer.from_dict({**values, "kernel_size": kernel}))
        elif kernel == 3:
            found.append(Mixer.from_dict(values))
    return found


def architecture(number: int) -> Architecture:
    """The architecture of this number; different numbers below 5,000 give different ones."""
    every = mixers()
    first, second = number % len(every), number // len(every) % len(every)
    width = 16 * (1 + number // len(every) ** 2)
    return Architecture(
        input=Input(1, 28, 28),
        stem=Stem(2),
        block_type="conv" if number % 2 == 0 else "prenorm",
        stages=(
            Stage(1 + number % 2, width, 2, (every[first],)),
            Stage(2, 2 * width, 2, (every[second], every[first])),
        ),
        head=Head(10),
    )


def add_study(store: Store, name: str = "study", **changes: Any) -> StudyRecord:
    """A study of three planned trials."""
    values: dict[str, Any] = {
        "config": {"trials": 3},
        "space": {"stages": []},
        "protocol": {"epochs": 2},
        "protocol_hash": "0123456789abcdef",
        "objective": {"metric": "accuracy", "direction": "maximise"},
        "planned_trials": 3,
        "searcher": "random",
        "scheduler": "none",
        "seeds": {"search": 1},
        "code_version": "0.1.0",
    }
    return store.studies.create(name, **values | changes)


def begin_run(store: Store, study_id: int, **changes: Any) -> RunRecord:
    """A run of this very process, or of one of which something is different."""
    return store.runs.begin(
        study_id,
        process=replace(ProcessIdentity.of(), **changes),
        machine={"cpus": 2},
        code_version="0.1.0",
    )


def add_trial(
    store: Store, study_id: int, run_id: int | None, number: int, **changes: Any
) -> TrialRecord:
    """A waiting trial of architecture `number`, which has 1000·(number + 1) parameters.

    Its study and its repeat give it seeds of its own.
    """
    values: dict[str, Any] = {
        "params": 1000 * (number + 1),
        "macs": 10_000 * (number + 1),
        "origin": "random",
        "seeds": {"initialisation": study_id, "data_order": changes.get("repeat", 0)},
        "decisions": [["width", 16]],
    }
    return store.trials.add(study_id, run_id, architecture(number), **values | changes)


def epoch(number: int, accuracy: float | None, **changes: Any) -> EpochRecord:
    """An epoch of one second."""
    values: dict[str, Any] = {
        "epoch": number,
        "train_loss": 1.0,
        "validation_loss": 1.5,
        "validation_accuracy": accuracy,
        "learning_rate": 0.001,
        "seconds": 1.0,
    }
    return EpochRecord(**values | changes)


def complete_trial(
    store: Store, study_id: int, run_id: int, number: int, accuracy: float | None, **changes: Any
) -> TrialRecord:
    """A complete trial of one epoch."""
    trial = add_trial(store, study_id, run_id, number, **changes)
    store.trials.start(trial.id, run_id)
    store.epochs.record(trial.id, epoch(1, accuracy))
    store.trials.finish(trial.id, "complete")
    return store.trials.get(trial.id)
