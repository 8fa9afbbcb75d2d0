"""The compiled language against the slow one, over random clauses, on each database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from search.query import best_by_protocol, parse_where
from search.store import Store, open_store
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.stale_runs import effective
from tests.query.slow_where import holds
from tests.query.strategies import clauses
from tests.support.postgres import PostgresServer
from tests.support.samples import add_study, add_trial, begin_run, complete_trial, epoch

DATA = {"first": "fashion-mnist", "second": None, "third one": "image-folder"}
CREATED = (
    *("2026-10-31T23:59:59.999999", "2026-11-01T00:00", "2026-11-01T23:59:59", "2026-11-02"),
    *("2026-11-02T12:30", "2026-11-02T12:30:15.5", "2026-11-02T12:31", "2025-12-31T12:00"),
    *("2027-01-01", "2026-12-31T23:59:59.5"),
)
PROTOCOLS = {"first": "01" * 8, "second": "0123456789abcdef", "third one": "f0" * 8}

Filled = tuple[Store, list[dict[str, Any]]]


def fill(store: Store) -> list[dict[str, Any]]:
    """Trials of every kind; the values of their fields."""
    for name in ("first", "second", "third one"):
        protocol = {"epochs": 2, "data": DATA[name]} if DATA[name] else {"epochs": 2}
        study = add_study(store, name, protocol_hash=PROTOCOLS[name], protocol=protocol)
        run = begin_run(store, study.id)
        start = 7 * (study.id - 1)
        for number in range(start, start + 14):
            complete_trial(store, study.id, run.id, number * 5, number % 9 / 8)
        complete_trial(store, study.id, run.id, 200, None)
        add_trial(store, study.id, run.id, 201)
        failed = add_trial(store, study.id, run.id, 202)
        store.trials.finish(failed.id, "failed", "train loss is nan")
        pruned = add_trial(store, study.id, run.id, 203)
        store.trials.start(pruned.id, run.id)
        for number in (1, 2):
            store.epochs.record(pruned.id, epoch(number, 0.8 - number / 10, seconds=1.25))
        store.trials.finish(pruned.id, "pruned", "rung 1")
        dead = begin_run(store, study.id, start_ticks=1)
        for number in (204, 205):
            add_trial(store, study.id, dead.id, number)
    measure(store)
    set_dates(store)
    for trial in store.trials.of_study(1):
        for tag in ("good", "to ship")[: trial.number % 3]:
            store.tags.add(trial.architecture_id, tag)
    return [
        entry
        for study in store.studies.summaries()
        for entry in entries(store, study.id, study.name)
    ]


def set_dates(store: Store) -> None:
    """The trials were created at the edges of days, and ended an hour later if they did."""

    def work(connection: Connection) -> None:
        session = Session(connection)
        for trial in session.scalars(select(TrialRow).order_by(TrialRow.id)):
            moment = datetime.fromisoformat(CREATED[trial.id % len(CREATED)])
            trial.created = moment.replace(tzinfo=UTC)
            trial.ended = trial.ended and trial.created + timedelta(hours=1)
            trial.seeds = {} if trial.number == 3 else trial.seeds
        session.flush()

    store.write(work)


def measure(store: Store) -> None:
    """Two of the studies have a device; some of their networks are measured on it, or on both."""
    for name, setting in (("first", "a"), ("third one", "b")):
        store.latencies.add_setting(setting, {}, {})
        study = store.studies.get(name)
        own = update(StudyRow).where(StudyRow.id == study.id).values(latency_setting=setting)
        store.write(lambda connection, own=own: connection.execute(own))
        for trial in store.trials.of_study(study.id)[::2]:
            for shift, reasons in ((0, []), (1, ["busy"]), (2, ["busy"])):
                if (trial.number + shift) % 3:
                    figure = {"median_ms": (trial.number + shift) % 5 + 0.5, "reasons": reasons}
                    store.latencies.add(setting, trial.architecture_id, figure, "a test")


def latency(store: Store, study: str, architecture_id: str) -> float | None:
    """The newest undisturbed one, else the newest, on the device of the study."""
    setting = {"first": "a", "third one": "b"}.get(study, "")
    found = sorted(store.latencies.of(setting, architecture_id), key=lambda each: each.id)
    quiet = [each for each in found if not each.disturbed]
    return (quiet or found)[-1].median_ms if found else None


def entries(store: Store, study_id: int, name: str) -> Iterator[dict[str, Any]]:
    dead = store.runs.of_study(study_id)[-1].id
    for trial in store.trials.of_study(study_id):
        architecture = store.architectures.get(trial.architecture_id)
        yield {
            "id": trial.id,
            "params": architecture.params,
            "macs": architecture.macs,
            "accuracy": trial.accuracy,
            "latency": latency(store, name, trial.architecture_id),
            "epochs": trial.epochs_done,
            "seconds": trial.seconds,
            "depth": architecture.depth,
            # Only the next driver writes down what the dead one left; readers see it already.
            "state": "preempted" if trial.run_id == dead else trial.state.value,
            "block_type": architecture.block_type,
            "study": name,
            "dataset": DATA[name],
            "tag": set(store.tags.of([architecture.id]).get(architecture.id, [])),
            "date": trial.created,
            "ended": trial.ended,
            "seed": trial.seeds.get("initialisation"),
            "seed_data_order": trial.seeds.get("data_order"),
            "curve": {e.epoch: e.validation_accuracy for e in store.epochs.of_trial(trial.id)},
            "protocol": PROTOCOLS[name],
            "mixers": architecture.mixers,
            "architecture": trial.architecture_id,
        }


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    if request.param == "sqlite":
        url = str(tmp_path_factory.mktemp("query") / "s.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    with open_store(url, create=True) as store:
        yield store, fill(store)


@given(text=clauses())
def test_the_database_and_python_agree(filled: Filled, text: str) -> None:
    store, known = filled
    where = parse_where(text)
    query = (
        select(TrialRow.id)
        .join(ArchitectureRow, ArchitectureRow.id == TrialRow.architecture_id)
        .join(StudyRow, StudyRow.id == TrialRow.study_id)
        .where(effective(where.clause(), store.runs.stale()))
    )
    found = set(store.read(lambda connection: connection.scalars(query).all()))
    assert found == {entry["id"] for entry in known if holds(where.tree, entry)}


def is_cut(entry: dict[str, Any]) -> bool:
    """Whether it stands behind what was trained to the end."""
    return bool(entry["state"] != "complete")


@given(text=clauses())
def test_best_has_one_row_per_architecture_of_a_protocol(filled: Filled, text: str) -> None:
    store, known = filled
    found = {
        group.protocol.hash: [row.trial_id for row in group.rows]
        for group in best_by_protocol(store, where=text, top=None)
    }
    for protocol in PROTOCOLS.values():
        mine = [entry for entry in known if entry["protocol"] == protocol]
        assert found.get(protocol, []) == expected_best(mine, text)


def expected_best(known: list[dict[str, Any]], text: str) -> list[int]:
    """The ids of the best trials, in order."""
    where = parse_where(text)
    states = ("complete", "pruned")
    allowed = [
        entry
        for entry in known
        if holds(where.tree, entry) and ("state" in where.fields or entry["state"] in states)
    ]
    expected: dict[str, dict[str, Any]] = {}
    for entry in sorted(allowed, key=lambda e: (is_cut(e), -(e["accuracy"] or -1.0), e["id"])):
        expected.setdefault(entry["architecture"], entry)
    order = sorted(
        expected.values(),
        key=lambda e: (
            is_cut(e),
            e["accuracy"] is None,
            -(e["accuracy"] or 0),
            e["params"],
            e["architecture"],
        ),
    )
    return [entry["id"] for entry in order]


def test_every_kind_of_clause_finds_some_trials_and_not_all(filled: Filled) -> None:
    """The random clauses above would agree on a store in which nothing differs, too."""
    _, known = filled
    for text in (
        *("date >= 2026-11-02", "date = 2026-11", "ended < 2026-11-01T01:30", "seed = 2"),
        *("dataset = fashion-mnist", "stage 2 dynamics = static", "any stage 2 kernel = 5"),
        *("accuracy at 1 >= 0.5", "accuracy at 2 < 0.7", "tag = good", "tag != 'to ship'"),
    ):
        where = parse_where(text)
        number = sum(holds(where.tree, entry) for entry in known)
        assert 0 < number < len(known), text


@pytest.mark.parametrize(
    "text",
    [
        " and ".join(["params > 0"] * 130),
        " or ".join(["any kernel = 3"] * 100),
        "(" * 49 + "params > 0" + ")" * 49,
        "not " * 48 + "params > 0",
        f"params in ({', '.join(str(n) for n in range(200))})",
    ],
)
def test_the_largest_clauses_run(filled: Filled, text: str) -> None:
    best_by_protocol(filled[0], where=text)
