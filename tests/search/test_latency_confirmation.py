"""What is measured when a run ends, so that what it returns keeps its limit; on made-up figures."""

from pathlib import Path

import pytest

import mixspace
from search.driver.assignment import Assignment
from search.driver.latency_confirmation import LatencyConfirmation
from search.driver.latency_plan import plan_of_study
from search.driver.retraining import best_of
from search.driver.session import StudySession
from search.query import best, best_within_bounds, study_objectives
from search.store import Store
from space.errors import InputError
from tests.search.driving import run_all, train
from tests.search.latency_study import (
    LIMIT,
    begin,
    few_draws,
    limited,
    meter,
    networks_of,
    store,
)
from tests.support.made_up_meter import MadeUpMeter, network_ms

__all__ = ["few_draws", "meter", "store"]


def unknown_assignment(session: StudySession, known: set[str]) -> Assignment:
    """The next one whose network was not measured before the search."""
    while True:
        assignment = session.next_assignment()
        assert assignment is not None
        if assignment.architecture.id not in known:
            return assignment
        train(session, assignment, [0.4, 0.5])


def test_beside_other_trials_nothing_is_measured_until_the_end(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, trials=6)
    session = begin(store, settings, meter)
    known = {*meter.measured}
    first, second = (unknown_assignment(session, known) for _ in range(2))
    assert first.architecture.id in meter.measured
    assert second.architecture.id not in meter.measured
    for assignment in (first, second):
        train(session, assignment, [0.4, 0.5])
    session.measure_no_more()
    wanted = study_objectives(store, settings.study)
    assert wanted.kept[second.architecture.id] is False  # nobody calls it feasible yet
    handed_on = {id_ for id_, _ in best_of(store, session.record, settings, 10)}
    assert first.architecture.id in handed_on
    assert second.architecture.id not in handed_on
    at_the_end(store, session, meter)
    wanted = study_objectives(store, settings.study)
    assert wanted.kept[second.architecture.id] is (network_ms(second.architecture) <= LIMIT)


def at_the_end(
    store: Store,
    session: StudySession,
    meter: type[MadeUpMeter],
    said: list[str] | None = None,
    stopped: bool = False,
) -> None:
    study = session.record
    plan = plan_of_study(store, study)
    networks = networks_of(store, study)
    rows = best(store, study=study.name, where="state = complete", top=None)
    trained = [networks[row.architecture_id] for row in rows]
    say = (said if said is not None else []).append
    LatencyConfirmation(store, plan, study.name, make_meter=meter).at_the_end(
        trained, lambda: stopped, say
    )


def test_the_end_measures_in_a_new_process_and_that_figure_counts(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, trials=6)
    session = begin(store, settings, meter)
    run_all(session)
    started, complete = meter.started, best(store, study="tiny", top=None)
    assert complete
    meter.slower = staticmethod(lambda architecture: 3.0)  # the first figures were lucky
    at_the_end(store, session, meter)
    assert meter.started == started + 1
    assert study_objectives(store, "tiny").keeping == []
    assert best(store, study="tiny", where=f"latency <= {LIMIT} ms", top=None) == []
    bounds = rf"keeps its constraints \(latency at most {LIMIT} ms\)"
    with pytest.raises(InputError, match=f"{bounds}; name what to export by its id"):
        best_within_bounds(store, "tiny", 1, "export")
    with pytest.raises(InputError, match=f"{bounds}; name what to load by its id"):
        mixspace.Study("tiny", str(tmp_path / "tiny.db")).load()
    with pytest.raises(InputError, match=f"{bounds} to retrain"):
        best_of(store, session.record, settings, 1)


def test_what_is_too_slow_after_all_is_not_handed_on(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    """To full training, test or export, however accurate it is."""
    settings = limited(tmp_path, trials=6)
    session = begin(store, settings, meter)
    run_all(session)
    first, *others = [row.architecture_id for row in best(store, study="tiny", top=None)]
    assert others
    meter.slower = staticmethod(lambda architecture: 3.0 if architecture.id == first else 1.0)
    at_the_end(store, session, meter)
    rows = best_within_bounds(store, "tiny", 10, "export")
    assert [row.architecture_id for row in rows] == others
    assert {id_ for id_, _ in best_of(store, session.record, settings, 10)} == {*others}


def test_one_that_cannot_be_measured_at_the_end_keeps_no_other_from_it(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings, said = limited(tmp_path, trials=6), list[str]()
    session = begin(store, settings, meter)
    run_all(session)
    complete = [row.architecture_id for row in best(store, study="tiny", top=None)]
    meter.broken, before = {complete[0]}, len(meter.measured)
    at_the_end(store, session, meter, said)
    assert sorted(meter.measured[before:]) == sorted(complete[1:])
    assert f"Latency: {complete[0]} could not be measured: OutOfMemoryError" in " ".join(said)
    assert said[-1] == "Latency: left unmeasured: 1 network."
    meter.broken = {*complete}
    at_the_end(store, session, meter, said)
    assert len(meter.measured) == before + len(complete) - 1


def test_a_stopped_run_says_what_was_left_unmeasured(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    session = begin(store, limited(tmp_path, trials=4), meter)
    run_all(session)
    said: list[str] = []
    at_the_end(store, session, meter, said, stopped=True)
    assert "left unmeasured" in said[-1]


def test_when_all_was_measured_twice_the_end_says_nothing(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    session = begin(store, limited(tmp_path, trials=4), meter)
    run_all(session)
    for expected in (1, 0):
        said: list[str] = []
        at_the_end(store, session, meter, said)
        assert len(said) == expected
