"""Stores with many made-up trials, written in bulk, to ask questions of.

Networks are drawn from a shipped space, so that every query meets real ones. Curves rise to a
height that size and chance give. A tenth of the trials fail, a third of the others are pruned, and
one network in a hundred has repeats with other seeds. Half of the studies have another protocol.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, text

from search.store import ProcessIdentity, Store, TrialState
from search.store.architectures import add_architecture
from search.store.models import MetricRow, TrialRow, utc_now
from search.store.statements import table_of
from space import Architecture, DesignSpace
from space.cost import cost
from space.input.shipped import folder_of

SPACE = "imagenet-tiny"
EPOCHS = 6
PROTOCOLS = ("1f" * 8, "2e" * 8)
STUDIES = 4
_BATCH = 2_000
_REASONS = ("train loss is nan in epoch {}, step 17", "out of memory: tried to allocate {} GiB")


def networks(count: int, seed: int = 0) -> Iterator[Architecture]:
    """Distinct architectures of the space."""
    space, rng = _space(), np.random.default_rng(seed)
    seen: set[str] = set()
    while len(seen) < count:
        drawn = space.sample(rng)
        if drawn.id not in seen:
            seen.add(drawn.id)
            yield drawn


def fill(store: Store, trials: int, seed: int = 0) -> None:
    """So many ended trials in four studies."""
    rng = np.random.default_rng(seed)
    studies = [_study(store, place) for place in range(STUDIES)]
    numbers: Counter[int] = Counter()
    waiting: list[tuple[int, Architecture]] = []
    for number, network in enumerate(networks(trials, seed)):
        waiting.append((studies[number % STUDIES], network))
        if len(waiting) == _BATCH or number == trials - 1:
            store.write(partial(_add, batch=waiting, numbers=numbers, rng=rng))
            waiting = []
    # As a server does by itself.
    store.write(lambda connection: connection.execute(text("ANALYZE")))


def _space() -> DesignSpace:
    return DesignSpace.from_yaml(folder_of("space") / f"{SPACE}.yaml")


def _study(store: Store, place: int) -> int:
    epochs = EPOCHS * (1 + place % 2)
    study = store.studies.create(
        f"study-{place}",
        config={"trials": 1, "searcher": {"name": "evolution"}},
        space=_space().to_dict(),
        protocol={"epochs": epochs, "batch_size": 128, "judged_by": "last"},
        protocol_hash=PROTOCOLS[place % 2],
        objective={"objectives": {"validation_accuracy": "maximise"}, "constraints": {}},
        planned_trials=1,
        searcher="evolution",
        scheduler="asha",
        seeds={"search": place},
        code_version="0",
    )
    process = ProcessIdentity.of()
    run = store.runs.begin(study.id, process=process, machine={"cpus": 2}, code_version="0")
    store.runs.end(run.id)
    return int(study.id)


def _add(
    connection: Connection,
    batch: list[tuple[int, Architecture]],
    numbers: Counter[int],
    rng: np.random.Generator,
) -> None:
    rows: list[dict[str, Any]] = []
    curves: list[list[float]] = []
    for study, network in batch:
        price = cost(network)
        for repeat in range(3 if rng.random() < 0.01 else 1):
            add_architecture(connection, network, price.params, price.macs)
            height = 0.2 + 0.05 * np.log10(price.params) + 0.02 * rng.standard_normal()
            state = _state(rng, repeat)
            done = {TrialState.COMPLETE: EPOCHS, TrialState.PRUNED: 2}.get(state, 0)
            curve = [float(height - 0.2 * np.exp(-epoch / 2)) for epoch in range(done)]
            row = _trial(study, numbers[study], network, state, repeat, rng)
            rows.append(row | _results(curve))
            curves.append(curve)
            numbers[study] += 1
    query = insert(table_of(TrialRow)).returning(TrialRow.id, sort_by_parameter_order=True)
    ids = connection.scalars(query, rows).all()
    connection.execute(
        insert(table_of(MetricRow)),
        [
            {"trial_id": id_, "epoch": epoch, "validation_accuracy": accuracy, "train_loss": 1.0}
            | {"validation_loss": 1.2, "learning_rate": 0.01, "seconds": 2.5}
            for id_, curve in zip(ids, curves, strict=True)
            for epoch, accuracy in enumerate(curve, start=1)
        ],
    )


def _state(rng: np.random.Generator, repeat: int) -> TrialState:
    if repeat:
        return TrialState.COMPLETE
    drawn = rng.random()
    return (
        TrialState.FAILED
        if drawn < 0.1
        else TrialState.PRUNED
        if drawn < 0.4
        else TrialState.COMPLETE
    )


def _trial(
    study: int,
    number: int,
    network: Architecture,
    state: TrialState,
    repeat: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    now = utc_now()
    failed = _REASONS[int(rng.integers(2))].format(int(rng.integers(1, 9)))
    reason = {TrialState.FAILED: failed, TrialState.PRUNED: "asha: not among the best third"}
    return {
        "study_id": study,
        "number": number,
        "architecture_id": network.id,
        "state": state.value,
        "reason": reason.get(state),
        "origin": "evolution",
        "attempts": 1,
        "seeds": {"initialisation": number, "data_order": repeat},
        "decisions": None,
        "repeat": repeat,
        "continued": 0,
        "created": now,
        "started": now,
        "ended": now,
    }


def _results(curve: list[float]) -> dict[str, Any]:
    best = max(curve, default=None)
    last = curve[-1] if curve else None
    return {
        "accuracy": last,
        "best_accuracy": best,
        "best_epoch": None if best is None else curve.index(best) + 1,
        "last_accuracy": last,
        "last_epoch": len(curve) or None,
        "epochs_done": len(curve),
        "seconds": 2.5 * len(curve),
        "ancestry_seconds": 0.0,
    }
