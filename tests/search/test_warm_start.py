"""What a study takes from earlier ones: how many of their points it tries, and in which turns."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.driver.extra_trials import continue_ended
from search.driver.study_setup import initial_points, task_of
from search.query.baseline import ENOUGH
from search.runner.preflight import baseline_warning
from search.store import Store, open_store
from tests.search.driving import accuracy, begin, end, play, run_all, train
from tests.search.small import config

ASHA = {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


@pytest.mark.parametrize("batch_size", [50, 20])
def test_a_warm_start_tries_the_best_of_an_earlier_study(
    store: Store, tmp_path: Path, batch_size: int
) -> None:
    earlier = begin(store, config(tmp_path, trials=14, study="earlier"))
    play(earlier, 2)
    end(store, earlier)
    best = sorted(store.trials.of_study(earlier.record.id), key=lambda t: -(t.best_accuracy or 0))[
        :3
    ]
    protocol = {"epochs": 2, "batch_size": batch_size, "warmup_epochs": 0.5}
    warm = begin(
        store,
        config(
            tmp_path, trials=12, study="warm", warm_start=["earlier"], protocol=protocol, seed=5
        ),
    )
    play(warm, 2)
    trials = store.trials.of_study(warm.record.id)
    assert [t.architecture_id for t in trials[:3]] == [t.architecture_id for t in best]
    assert [t.origin for t in trials] == ["warm start: earlier"] * 3 + ["random"] * 9
    same_protocol = batch_size == 50
    assert all((t.source_trial_id is not None) == same_protocol for t in trials[:3])


def probes(store: Store, tmp_path: Path) -> dict[str, list[str]]:
    """The best architectures of two studies that share half of their points, best first."""
    for name, seed in (("one", 0), ("two", 1)):
        settings = config(tmp_path, trials=12, study=name, seed=seed, initial=["named"])
        play(begin(store, settings), 2)
    ranked = {name: store.trials.of_study(store.studies.get(name).id) for name in ("one", "two")}
    return {
        name: [t.architecture_id for t in sorted(trials, key=lambda t: -(t.best_accuracy or 0))]
        for name, trials in ranked.items()
    }


@pytest.mark.parametrize(("trials", "warm"), [(1, 1), (5, 1), (6, 1), (12, 3), (20, 5)])
def test_warm_points_take_a_quarter_at_most_the_best_of_each_study_in_turn(
    store: Store, tmp_path: Path, trials: int, warm: int
) -> None:
    best = probes(store, tmp_path)
    settings = config(
        tmp_path,
        trials=trials,
        study="warm",
        warm_start=["one", "two"],
        protocol={"epochs": 1},
        random_baseline=0.4,
    )
    session = begin(store, settings)
    play(session, 1)
    found = store.trials.of_study(session.record.id)
    tried = [t.architecture_id for t in found if t.origin.startswith("warm start")]
    in_turn = dict.fromkeys(id_ for pair in zip(*best.values(), strict=True) for id_ in pair)
    # What the baseline draws by itself is not tried again.
    drawn = {t.architecture_id for t in found if t.origin == "random baseline"}
    expected = list(in_turn)[:warm]
    assert tried == [id_ for id_ in expected if id_ in tried]
    assert set(expected) <= {*tried, *drawn}
    turns = [i for i in range(trials) if int((i + 1) * 0.4) > int(i * 0.4)]
    assert [i for i, t in enumerate(found) if t.origin == "random baseline"] == turns


def test_a_warm_start_repeats_no_initial_point_and_takes_none_away(
    store: Store, tmp_path: Path
) -> None:
    best = probes(store, tmp_path)["one"]
    settings = config(
        tmp_path,
        trials=16,
        study="warm",
        warm_start=["one"],
        initial=["named"],
        protocol={"epochs": 1},
    )
    session = begin(store, settings)
    play(session, 1)
    named = [p.architecture.id for p in initial_points(settings)]
    found = [t.architecture_id for t in store.trials.of_study(session.record.id)]
    others = [id_ for id_ in best if id_ not in named]
    assert len(named) >= 3
    assert found[: len(named) + 4] == [*named, *others[:4]]


def test_a_study_with_a_warm_start_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    """Stopped after every single trial; a raised number of trials changes nothing either."""

    def study(stops: bool) -> list[tuple[str, str]]:
        folder = tmp_path / f"stops {stops}"
        folder.mkdir()
        with open_store(str(folder / "tiny.db"), create=True) as opened:
            probes(opened, folder)
            settings = config(
                folder,
                trials=12,
                study="warm",
                warm_start=["one", "two"],
                protocol={"epochs": 1},
                random_baseline=0.25,
                searcher={"name": "tpe"},
            )
            session = begin(opened, settings)
            while (assignment := session.next_assignment()) is not None:
                train(session, assignment, [accuracy(assignment.architecture.id, 1)])
                if stops:
                    end(opened, session)
                    session = begin(opened, settings.model_copy(update={"trials": 40}))
            return [
                (t.architecture_id, t.origin) for t in opened.trials.of_study(session.record.id)
            ]

    found = study(stops=True)
    assert found == study(stops=False)
    assert sum(origin.startswith("warm start") for _, origin in found) == 3


def test_a_warm_start_leaves_out_what_the_constraints_forbid(store: Store, tmp_path: Path) -> None:
    earlier = begin(store, config(tmp_path, trials=20, study="earlier"))
    play(earlier, 2)
    costs = [
        store.architectures.get(t.architecture_id).params
        for t in store.trials.of_study(earlier.record.id)
    ]
    bound = sorted(costs)[len(costs) // 2]
    settings = config(
        tmp_path, trials=12, study="warm", warm_start=["earlier"], constraints={"params": bound}
    )
    warm = begin(store, settings)
    play(warm, 2)
    found = [
        store.architectures.get(t.architecture_id) for t in store.trials.of_study(warm.record.id)
    ]
    assert found
    assert all(architecture.params <= bound for architecture in found)


def test_a_warm_start_stays_what_it_was(store: Store, tmp_path: Path) -> None:
    protocol = {"epochs": 4}
    old = config(tmp_path, trials=12, protocol=protocol, scheduler=ASHA, study="earlier")
    earlier = begin(store, old)
    play(earlier, 4)
    end(store, earlier)
    settings = config(
        tmp_path, trials=8, protocol=protocol, study="warm", warm_start=["earlier"], initial=[]
    )
    before = begin(store, settings)
    first = [before._new_trials.proposals.first(set(), set()) for _ in range(2)]
    assert {proposal.origin for proposal in first} == {"warm start: earlier"}
    end(store, before)
    extra = continue_ended(pruned=3)(store, earlier.record, task_of(old))
    more = begin(store, old, extra=extra)
    play(more, 4)
    end(store, more)
    after = begin(store, settings)
    assert [after._new_trials.proposals.first(set(), set()) for _ in range(2)] == first


# --- what is said before the start ------------------------------------------------------------


@pytest.mark.parametrize(
    ("trials", "share", "initial", "words"),
    [
        (8, 0.1, [], "gives 0 random and 8 searched points in 8 trials; .*: give more trials"),
        (30, 0.1, [], "gives 3 random and 27 searched .*: random_baseline 0.34 gives enough"),
        (100, 0.99, [], "gives 99 random and 1 searched .*: random_baseline 0.1 gives enough"),
        (23, 0.5, ["named"], "searched points in 23 trials beside 4 initial ones; .*: give more"),
    ],
)
def test_too_few_random_points_are_told_before_the_start(
    tmp_path: Path, trials: int, share: float, initial: list[str], words: str
) -> None:
    settings = config(tmp_path, trials=trials, random_baseline=share, initial=initial)
    warning = baseline_warning(settings)
    assert warning is not None
    assert re.search(f"random_baseline {share} {words}" if not initial else words, warning)
    assert "\n" not in warning


@pytest.mark.parametrize("changes", [{"random_baseline": 0.0}, {"random_baseline": 0.5}])
def test_nothing_is_said_where_nothing_is_missing(
    tmp_path: Path, changes: dict[str, float]
) -> None:
    assert baseline_warning(config(tmp_path, trials=20, **changes)) is None


@pytest.mark.parametrize("named", [False, True])
def test_the_share_that_is_named_gives_enough(store: Store, tmp_path: Path, named: bool) -> None:
    """The space has 24 points, four of them initial ones where they are named."""
    few = config(tmp_path, trials=24, random_baseline=0.1, initial=["named"] if named else [])
    found = re.search(r"random_baseline ([0-9.]+) gives enough", str(baseline_warning(few)))
    assert found is not None
    settings = few.model_copy(update={"random_baseline": float(found[1])})
    assert baseline_warning(settings) is None
    session = begin(store, settings)
    run_all(session)
    origins = [t.origin for t in store.trials.of_study(session.record.id)]
    assert min(origins.count("random baseline"), origins.count("random")) >= ENOUGH
