"""Searches replayed on a table: what is seen, what is measured, and the command."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks.replay.catalogue import Entry, entries
from benchmarks.replay.peers.parameters import parameters_of
from benchmarks.replay.record import Record, record
from benchmarks.replay.run import Settings, replay
from benchmarks.replay.show import plot, tables, write_plot
from benchmarks.replay.simulate import Ended, Simulation, Simulator
from benchmarks.replay.space import TableSpace
from benchmarks.replay.summary import spread, summaries
from benchmarks.replay.view import View
from benchmarks.searchers import main, parse
from benchmarks.table.read import TabularBenchmark
from search.trial_states import TrialState
from space import Infeasible, InputError
from tests.benchmarks.synthetic import LONG, trainings, write
from tests.support.thorough import thorough_but_every


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("whole") / "table.parquet")


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty architectures; the first five of them with three seeds."""
    chosen = list(LONG.space().enumerate())[::29][:40]
    found = trainings(chosen) + trainings(chosen[:5], seeds=(1, 2))
    return write(tmp_path_factory.mktemp("partial") / "table.parquet", found)


table_of = cache(TabularBenchmark)
"""Nothing changes a table, and it takes long to read."""


# The table as a space


def test_a_whole_table_is_the_space_itself(whole: Path) -> None:
    benchmark = table_of(whole)
    inner, space = benchmark.space(), TableSpace(benchmark)
    for point in list(benchmark.architectures.values())[::200]:
        assert space.neighbours(point) == inner.neighbours(point)
        assert space.key(point) == point.id
        chosen = {d.name: d.value for d in space.decisions(point)}
        assert space.walk(lambda name, options, read, c=chosen: c[name]) == point


def test_a_partial_table_offers_only_what_it_has(partial: Path) -> None:
    benchmark = table_of(partial)
    space, rng = TableSpace(benchmark), np.random.default_rng(0)
    drawn = {space.sample(rng).id for _ in range(1000)}
    assert drawn == set(benchmark.architectures)
    for point in benchmark.architectures.values():
        near = {a.id for a in benchmark.space().neighbours(point)}
        assert {a.id for a in space.neighbours(point)} == near & set(benchmark.architectures)
    absent = next(a for a in LONG.space().enumerate() if a.id not in benchmark.architectures)
    chosen = {d.name: d.value for d in space.decisions(absent)}
    with pytest.raises(Infeasible, match="does not have it"):
        space.walk(lambda name, options, read: chosen[name])


# What a run sees


def test_runs_see_one_seed_and_are_judged_by_the_mean(partial: Path) -> None:
    benchmark = table_of(partial)
    name = next(n for n in benchmark.architectures if len(benchmark.trainings(n)) == 3)
    seen = [View(benchmark, run).training(name) for run in range(6)]
    assert seen == [*benchmark.trainings(name).values()] * 2
    best = max(benchmark.architectures, key=benchmark.mean_accuracy)
    assert View(benchmark, 0).regret(best) == 0
    mean = np.mean([training.accuracy for training in seen[:3]])
    assert View(benchmark, 0).regret(name) == pytest.approx(benchmark.mean_accuracy(best) - mean)


def test_the_whole_table_has_the_whole_hypervolume(partial: Path) -> None:
    view = View(table_of(partial), 0)
    names = list(view.benchmark.architectures)
    assert view.hypervolume(names) == 1
    assert view.hypervolume([]) == 0
    assert 0 < view.hypervolume(names[:10]) < 1


# What is measured


def test_the_incumbent_is_the_best_that_was_seen(partial: Path) -> None:
    view = View(table_of(partial), 0)
    a, b, c, *_ = view.benchmark.architectures
    ended = [
        Ended(a, TrialState.PRUNED, 0.9, 10, 10),  # never the incumbent
        Ended(b, TrialState.COMPLETE, 0.5, 20, 15),
        Ended(c, TrialState.COMPLETE, 0.4, 30, 20),
        Ended(a, TrialState.COMPLETE, 0.6, 40, 25),
    ]
    simulation = Simulation(ended, [a, b, c, a], [0.001] * 4)
    found = record("accuracy", "some", view, simulation, budget=100)
    assert found.path == ((2, 0.2, view.regret(b)), (4, 0.4, view.regret(a)))
    assert found.ends == {"complete": 3, "pruned": 1}
    assert found.duplicates == 1
    assert found.milliseconds == pytest.approx((1, 1))
    fronts = record("front", "some", view, simulation, budget=100).path
    assert fronts[0][0] == 2
    assert fronts[-1][2] == pytest.approx(1 - view.hypervolume(_front(view, ended)))


def _front(view: View, ended: list[Ended]) -> list[str]:
    """By comparing every pair."""
    points = [
        (e.accuracy, -view.macs(e.architecture_id), e) for e in ended if e.state == "complete"
    ]
    return [
        one.architecture_id
        for accuracy, macs, one in points
        if not any(x >= accuracy and y >= macs and (x, y) != (accuracy, macs) for x, y, _ in points)
    ]


def a_record(method: str, seed: int, *path: tuple[int, float, float]) -> Record:
    return Record("accuracy", method, seed, path, {"complete": 3}, 0, (1.0, 2.0), False)


def test_costs_are_read_off_the_path() -> None:
    one = a_record("a", 0, (1, 0.1, 0.3), (5, 0.5, 0.1), (6, 0.6, 0.2))
    assert one.shortfall == 0.2
    assert (one.shortfall_at(0.05), one.shortfall_at(0.5)) == (1, 0.1)
    assert (one.shortfall_after(4), one.shortfall_after(5)) == (0.3, 0.1)
    assert (one.cost_to_reach(0.1), one.cost_to_reach(0.05)) == (0.5, float("inf"))
    assert Record.from_dict(json.loads(json.dumps(one.__dict__))) == one


def test_a_method_is_compared_with_the_median_end_of_random_search() -> None:
    runs = [a_record("random", seed, (1, 1.0, end)) for seed, end in enumerate((0.1, 0.2, 0.6))]
    runs += [a_record("good", seed, (1, 0.1 * seed, 0.2), (2, 0.9, 0.0)) for seed in (1, 2, 9)]
    runs += [a_record("bad", seed, (1, 0.1, 0.3)) for seed in range(3)]
    random, good, bad = summaries(runs, "random", marks=(1,))
    assert random.shortfall.median == 0.2
    assert (good.to_random.median, good.to_random.worst) == pytest.approx((0.2, 0.9))
    assert bad.to_random.median == bad.to_random.low == float("inf")
    assert good.after[1].median == 0.2
    assert good.to_tpe is None


def test_the_interval_holds_the_median_of_the_distribution_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    spreads = [spread(rng.normal(0, 1, 30).tolist()) for _ in range(200)]
    held = np.mean([each.low <= 0 <= each.high for each in spreads])
    assert 0.9 <= held <= 0.99


# Every method


# Every searcher, every scheduler, every peer; not every pair, which would take minutes.
CHOSEN = [e for e in entries() if " + " not in e.name or e.name.startswith(("random", "Optuna"))]


@pytest.mark.usefixtures("coarse_gp")
@pytest.mark.parametrize(
    "entry",
    thorough_but_every(3, [entry for entry in CHOSEN if not entry.slow])
    + [pytest.param(entry, marks=pytest.mark.thorough) for entry in CHOSEN if entry.slow],
    ids=lambda e: f"{e.name}, {e.aim}",
)
def test_every_method_searches_a_table(entry: Entry, whole: Path) -> None:
    """Until the budget is spent; ours without a repeat, and again the same with the same seed."""
    benchmark = table_of(whole)
    problem = entry.problem(benchmark)
    if problem is not None:
        pytest.skip(problem)
    view = View(benchmark, 1)

    def run() -> Simulation:
        method = entry.make(benchmark, 1)
        budget = 20 if entry.slow else 40
        return Simulator(method, view.training, workers=3, budget=budget, most_trials=99).run()

    first = run()
    assert len(first.ended) > 5
    assert set(first.started) <= set(benchmark.architectures)
    assert any(trial.state == "complete" for trial in first.ended)
    if not entry.name.startswith(("Optuna", "PyGlove", "Syne Tune")):
        assert first.duplicates == 0
        assert run().started == first.started


def test_a_search_of_more_than_the_table_ends_exhausted(partial: Path) -> None:
    found = replay(Settings(partial, evaluations=100, workers=4), ("accuracy", "random", 0))
    assert found.exhausted
    assert found.ends == {"complete": 40}
    assert found.duplicates == 0
    assert found.shortfall == 0


def test_parameters_name_every_architecture(whole: Path) -> None:
    benchmark = table_of(whole)
    parameters = parameters_of(benchmark)
    assert sorted(parameters.architectures.values()) == sorted(benchmark.architectures)
    for (block_type, depth, ratio, operator, size), name in parameters.architectures.items():
        assert parameters.find(block_type, depth, ratio, operator, size) == name
        if size is None:
            assert parameters.find(block_type, depth, ratio, operator, 5) == name


# The command


@pytest.mark.thorough
def test_the_command_prints_what_it_ran_and_does_not_run_it_again(
    partial: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.jsonl"
    words = ["--table", str(partial), "--methods", "random*", "--seeds", "2", "--evaluations", "20"]
    words += ["--aims", "accuracy", "--results", str(results), "--processes", "1"]
    main([*words, "--json"])
    printed = capsys.readouterr()
    found = {each["method"]: each for each in json.loads(printed.out)}
    assert found["random"]["runs"] == 2
    assert found["random"]["duplicates"] == 0
    kept = [json.loads(line) for line in results.read_text().splitlines() if line]
    assert len(kept) == 2 * len(found)

    with results.open("a") as file:
        file.write('\n{"settings": {"protoc')
    for one in kept:  # a run that is kept is read, and not made again
        one["record"]["duplicates"] = 7
    results.write_text("\n".join(json.dumps(one) for one in kept) + '\n{"settings": {"prot')
    main(words)
    printed = capsys.readouterr()
    assert "| random " in printed.out
    assert " 7.0 " in printed.out
    assert "accuracy: regret, points of accuracy" in printed.out
    assert results.read_text().count("record") == len(kept)


@pytest.mark.thorough
def test_what_is_slow_to_propose_has_fewer_runs(
    partial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--table", str(partial), "--methods", "gp", "--seeds", "2", "--evaluations", "8"]
    main([*words, "--slow-seeds", "1", "--aims", "accuracy", "--processes", "1"])
    printed = capsys.readouterr().out
    assert "| gp (1 run) " in printed
    assert "| random " in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--methods", "nosuch"], "'nosuch' is no method; there are: random, random"),
        (["--plot", "x.foo"], r"\.html or \.png; got 'x.foo'"),
        (["--plot", "nowhere/x.png"], "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    words: list[str], message: str, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError("run")

    monkeypatch.setattr("benchmarks.searchers.replays", never)
    with pytest.raises(SystemExit, match=message):
        main(["--table", str(partial), *words])


@pytest.mark.parametrize("option", ["--seeds", "--evaluations", "--workers", "--processes"])
def test_counts_of_nothing_are_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("0", "-3", "many"):
        with pytest.raises(SystemExit):
            main([option, text])
        assert f"must be a whole number of at least 1: {text}" in capsys.readouterr().err


def test_a_few_runs_have_neither_an_interval_nor_a_worst() -> None:
    many = [a_record("random", seed, (1, 0.1, 0.3)) for seed in range(12)]
    few = [a_record("gp", seed, (1, 0.1, 0.2)) for seed in range(3)]
    text = tables(summaries([*many, *few], "random", [10]))
    row = next(line for line in text.splitlines() if "gp (3 runs)" in line)
    assert "[" not in row
    assert row.count("–") == 3  # both worsts, and the cost to a TPE that was not run


def test_runs_under_other_settings_are_not_read(partial: Path, tmp_path: Path) -> None:
    from benchmarks.replay.run import _append, _read

    settings = Settings(partial, evaluations=20)
    _append(settings, tmp_path / "results", a_record("random", 0, (1, 0.5, 0.1)))
    assert set(_read(settings, tmp_path / "results")) == {("accuracy", "random", 0)}
    assert _read(replace(settings, workers=1), tmp_path / "results") == {}


def test_the_plot_has_a_line_for_every_method(tmp_path: Path) -> None:
    runs = [a_record(name, 0, (1, 0.1, 0.3)) for name in ("random", "other")]
    figure = plot(runs, evaluations=20)
    assert [line.name for line in figure.data if line.showlegend] == ["random", "other"]
    front = [replace(one, aim="front", method=f"{one.method}, front") for one in runs[:1]]
    both = plot([*runs, *front, replace(runs[1], aim="front")], evaluations=20)
    legend = [line.name for line in both.data if line.showlegend]
    assert legend == ["random", "other", "random, front"]
    write_plot(figure, tmp_path / "plot.html")
    assert "plotly" in (tmp_path / "plot.html").read_text()
    with pytest.raises(InputError, match=r"\.html or \.png"):
        write_plot(figure, tmp_path / "plot.gif")


def test_a_missing_table_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make_table makes it"):
        main(["--table", str(tmp_path / "none.parquet")])


@pytest.mark.parametrize(
    ("words", "runs"),
    [("", (30, 30)), ("--quick", (3, 3)), ("--seeds 9", (9, 9)), ("--slow-seeds 0", (30, 0))],
)
def test_what_is_slow_has_as_many_runs_unless_told_otherwise(
    words: str, runs: tuple[int, int]
) -> None:
    options = parse(words.split())
    assert (options.seeds, options.slow_seeds) == runs
