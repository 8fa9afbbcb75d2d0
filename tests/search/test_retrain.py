"""`retrain`: what is trained in full, what goes on, and what is refused; nothing starts Ray."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

import mixspace
from search.cli.program import run_program
from search.config import Config
from search.driver.retraining import plan_of, retraining_config
from search.driver.retraining_plan import Planned, RetrainingPlan
from search.runner import run as run_module
from search.store import StudyRecord, TrialRecord, TrialState, open_store
from space import InputError
from tests.search.small import values
from tests.search.without_ray import (
    STORE,
    Player,
    all_fail,
    execute,
    in_place_of_ray,
    player,
    playing,
    printed,
    trials_of,
)
from tests.support.samples import add_study, add_trial, architecture, begin_run, complete_trial

__all__ = ["player", "playing"]

TOP = ["retrain", "--top", "2", "--seeds", "2", *STORE]
FULL = "tiny-retrained"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished search of four architectures, in which no test works."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "a.yaml").write_text(yaml.safe_dump(values(trials=4)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        in_place_of_ray(patch, folder)
        assert run_program(["run", "a.yaml", *STORE]) == 0
    return folder


@pytest.fixture
def searched(
    finished: Path, tmp_path: Path, player: Player, monkeypatch: pytest.MonkeyPatch
) -> Player:
    """The player, in a copy of it."""
    monkeypatch.chdir(shutil.copytree(finished, tmp_path / "copy"))
    return player


def study(name: str = FULL) -> StudyRecord:
    with open_store("a.db", create=False) as store:
        return store.studies.get(name)


def trained(name: str = FULL) -> list[tuple[str, int]]:
    return [(trial.architecture_id, trial.repeat) for trial in trials_of(name)]


def ids() -> list[str]:
    return [trial.architecture_id for trial in trials_of("tiny")]


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with open_store("a.db", create=False) as store:
        before = [summary.name for summary in store.studies.summaries()]
    assert run_program(["retrain", *words, *STORE]) == 2
    with open_store("a.db", create=False) as store:
        assert [summary.name for summary in store.studies.summaries()] == before
    return capsys.readouterr().err


def test_the_best_are_trained_with_seeds_of_their_own(searched: Player) -> None:
    """Also by the protocol of the search: no result that was chosen is taken over."""
    assert run_program(TOP) == 0
    full, search = trials_of(FULL), trials_of("tiny")
    assert len(full) == 4
    assert {trial.state for trial in full} == {TrialState.COMPLETE}
    assert all(trial.source_trial_id is None for trial in full)
    seeds = [tuple(trial.seeds.values()) for trial in (*full, *search)]
    assert len(set(seeds)) == len(seeds)
    assert study().protocol_hash == study("tiny").protocol_hash
    assert study().retrains["study"] == "tiny"
    assert {trial.origin for trial in full} == {"retrains trial 0", "retrains trial 1"}
    assert [trial.repeat for trial in full] == [0, 0, 1, 1]  # all once, before any of them twice


def test_others_of_the_same_protocol_train_what_is_trained_in_full_too(searched: Player) -> None:
    """A full training waits for nobody, and takes no training from anybody."""
    first: TrialRecord = trials_of("tiny")[0]
    assert run_program(["run", "a.yaml", "--study", "other", *STORE]) == 0
    with open_store("a.db", create=False) as store:
        other = store.studies.get("other")
        run = store.runs.of_study(other.id)[-1]
        assert run.ended is not None
    words = ["retrain", first.architecture_id, "--study", "tiny", "--seeds", "1", *STORE]
    assert run_program(words) == 0
    assert len(trials_of(FULL)) == 1


def test_the_same_again_has_nothing_to_do_and_more_seeds_are_added(
    searched: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(TOP) == 0
    before = trials_of(FULL)
    capsys.readouterr()
    assert run_program(TOP) == 0
    assert "There was nothing left to do" in capsys.readouterr().out
    assert run_program(["retrain", "--top", "1", "--seeds", "4", *STORE]) == 0
    after = trials_of(FULL)
    assert after[:4] == before
    assert [(t.architecture_id, t.repeat) for t in after[4:]] == [
        (before[0].architecture_id, 2),
        (before[0].architecture_id, 3),
    ]


def test_others_are_added_by_their_ids(searched: Player) -> None:
    assert run_program(TOP) == 0
    last = ids()[-1]
    assert run_program(["retrain", last[:6], last, "--seeds", "1", *STORE]) == 0
    assert trained()[4:] == [(last, 0)]
    assert study().planned_trials == 3


@pytest.mark.parametrize("done", [0, 1, 3])
def test_an_interrupted_one_goes_on_by_the_printed_command(
    done: int, searched: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    searched.stop_after = done
    more = ["--set", "protocol.epochs=3", "--set", "retries=2", "--where", "params > 1"]
    assert run_program([*TOP, *more]) == 130
    out, err = capsys.readouterr()
    go_on = err.splitlines()[-1].partition("To go on: ")[2]
    assert go_on == printed(out, "Go on")
    assert go_on == f"python -m search continue {FULL} --store a.db --set retries=2"
    searched.stop_after = None
    assert execute(go_on) == 0
    assert len(trained()) == 4
    assert study().protocol["epochs"] == 3


def test_before_anything_is_written_the_command_itself_goes_on(
    searched: Player, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(address: object, on_watch: object) -> None:
        raise KeyboardInterrupt

    words = [*TOP, "--protocol", "small-images-30", "--set", "protocol.epochs=3"]
    words += ["--where", "params < 1G and depth < 9", "--name", "mine"]
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "connected_to_ray", interrupted)
        assert run_program(words) == 130
    go_on = capsys.readouterr().err.splitlines()[-1].partition("To go on: ")[2]
    assert execute(go_on) == 0
    assert len(trained("mine")) == 4
    assert study("mine").protocol["epochs"] == 3
    assert study("mine").protocol["ema_decay"] == 0.999


def test_failed_ones_are_trained_again_and_nothing_else(
    searched: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", all_fail)
        assert run_program([*TOP, "--set", "stop_after_same_failures=null"]) == 1
    assert run_program(["continue", FULL, "--failed", *STORE]) == 0
    assert {t.state for t in trials_of(FULL)} == {TrialState.COMPLETE}
    assert len(trained()) == 4


def test_more_networks_are_the_next_best_of_the_search(searched: Player) -> None:
    assert run_program(TOP) == 0
    assert run_program(["continue", FULL, "--trials", "3", *STORE]) == 0
    assert sorted(repeat for _, repeat in trained()) == [0, 0, 0, 1, 1, 1]
    assert run_program(["repeat", FULL, "--top", "1", "--seeds", "3", *STORE]) == 0
    assert sorted(repeat for _, repeat in trained()) == [0, 0, 0, 1, 1, 1, 2]


def test_another_protocol_is_a_study_of_its_own(
    searched: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program([*TOP, "--protocol", "small-images-30"]) == 0
    assert run_program(["retrain", "--top", "1", "--seeds", "3", *STORE]) == 0  # by what it has
    said = refused(capsys, "--top", "2", "--set", "protocol.epochs=31")
    assert "protocol.epochs: 'tiny-retrained' was begun with 30; got 31" in said
    assert "weight_decay" not in said
    assert "--name: a study keeps what its results depend on" in said
    words = ["--set", "protocol.epochs=31", "--protocol", "small-images-30", "--name", "b"]
    assert run_program([*TOP, *words]) == 0
    assert study("b").protocol["epochs"] == 31


def test_the_report_has_search_and_validation_and_what_is_optimistic(
    searched: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(TOP) == 0
    out = capsys.readouterr().out
    assert f"{FULL}, by search (tiny), validation: accuracies" in out
    assert "chose these networks among 4: they are optimistic" in " ".join(out.split())
    assert "Guessing the commonest class scores 10.00% of the 100 validation images." in out
    assert f"python -m search test --study {FULL} --store a.db" in out
    assert "Local MLP" not in out  # no table of operators that were not asked for
    assert run_program([*TOP, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["full_trainings"]
    assert (found["search"], found["candidates"], len(found["rows"])) == ("tiny", 4, 2)
    assert found["rows"][0]["validation"]["trainings"] == 2
    assert run_program(["retrain", ids()[3], "--seeds", "1", "--name", "one", *STORE]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "One training each: nothing is known of the spread over seeds." in out


REFUSED: list[tuple[list[str], str]] = [
    ([], "architecture: name architectures by their ids, or give --top 3"),
    (["abcd", "--top", "3"], "--top: does not go with ids (abcd)"),
    (["abcd", "--where", "params > 1"], "--where: goes with --top, not with ids"),
    (["zzzz", "00"], "architecture: 'zzzz' is no id"),
    (["--top", "2", "--study", "lost"], "study: 'lost' does not exist"),
    (["--top", "2", "--where", "params < 1"], "--where: 'tiny' has no complete trial that fulfils"),
    (["--top", "2", "--where", "colour = red"], "colour"),
    (["--top", "0"], "--top"),
    (["--top", "2", "--seeds", "0"], "--seeds"),
    (["--top", "2", "--protocol", "nowhere.yaml"], "protocol: there is no file nowhere.yaml"),
    (["--top", "2", "--set", "protocol.epoch=3"], "protocol.epoch"),
    (["--top", "2", "--set", "protocol.split_seed=3"], "protocol.split_seed: must be 0"),
    (["--top", "2", "--set", "trials=3"], "trials stays as it is; what may change: protocol"),
    (["--top", "2", "--set", "resource=3"], "resource is unknown; did you mean 'resources'?"),
    (["--top", "2", "--set", "data.test_fraction=0.5"], "data.test_fraction"),
    (["--top", "2", "--set", "data.name=image-folder", "--set", "data.folder=x"], "data.name"),
    (["--top", "2", "--name", "tiny"], "--name: 'tiny' is in the store and is a search"),
    (["--top", "2", "--name", "a b"], "study: must be 1 to 100 letters"),
    (["--top", "2", "--set", "data.source=full", "--set", "data.folder=x"], "data.folder"),
]


def test_what_cannot_be_done_is_refused_before_anything_is_written(
    searched: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, said in REFUSED:
        assert said in refused(capsys, *words), words
    assert not list(Path("checkpoints").glob(f"{FULL}*"))


def test_changed_images_are_refused(
    searched: Player, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash of the content is that of the search, unless others are asked for."""
    with open_store("a.db", create=False) as store:
        record = store.studies.get("tiny")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("search.store.studies._was_trained", lambda *_: False)
            changed = record.protocol | {"content_hash": "e" * 16}
            store.studies.set_protocol(record.id, changed, "f" * 16)
    said = refused(capsys, "--top", "1")
    assert f"protocol.content_hash: pinned to {'e' * 16}, but the data give" in said
    assert (
        run_program(["retrain", "--top", "1", *STORE, "--set", "protocol.content_hash=null"]) == 0
    )


def test_several_searches_must_be_told_apart(
    searched: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["run", "a.yaml", "--study", "other", *STORE]) == 0
    capsys.readouterr()
    assert "--study: name the search that found them: other, tiny" in refused(capsys, "--top", "1")
    assert run_program(["retrain", "--top", "1", "--study", "other", "--seeds", "1", *STORE]) == 0
    assert study("other-retrained").retrains["study"] == "other"
    said = refused(capsys, "--top", "1", "--study", "tiny", "--name", "other-retrained")
    assert "--name: 'other-retrained' is in the store and retrains networks of 'other'" in said


def test_an_id_of_another_search_is_refused(
    searched: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["run", "a.yaml", "--study", "other", "--set", "seed=5", *STORE]) == 0
    foreign = next(t.architecture_id for t in trials_of("other") if t.architecture_id not in ids())
    said = refused(capsys, foreign, "--study", "tiny")
    assert f"architecture: {foreign} has no complete or pruned trial in 'tiny'" in said


def test_a_search_without_a_complete_trial_is_refused(
    playing: Player, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", all_fail)
        assert run_program(["run", "a.yaml", *STORE, "--set", "stop_after_same_failures=null"]) == 1
    capsys.readouterr()
    assert "study: 'tiny' has no complete trial to retrain" in refused(capsys, "--top", "1")


def test_from_python_it_is_the_same(searched: Player) -> None:
    found = mixspace.Study("tiny", "a.db")
    full = found.retrain(top=2, seeds=2, protocol={"epochs": 3}, retries=2, progress=False)
    assert full.name == FULL
    assert full.config.protocol.epochs == 3
    assert len(full.trials_dataframe()) == 4
    again = found.retrain([ids()[3]], seeds=1, progress=False)
    assert len(again.trials_dataframe()) == 5
    with pytest.raises(InputError, match="ids: must be a list of the beginnings of ids"):
        found.retrain("abcd")
    with pytest.raises(InputError, match=r"top: does not go with ids \(abcd\)"):
        found.retrain(["abcd"], top=1)
    with pytest.raises(InputError, match="protocol: must be the name of a protocol"):
        found.retrain(top=1, protocol=3)  # type: ignore[arg-type]


def test_limits_of_time_are_those_of_the_search_alone() -> None:
    given = {"time_limit": "8h", "budget": "1 cpu-hour", "trial_time_limit": "5m"}
    search = Config.from_dict(values(**given, retries=3))
    full = retraining_config(search, "full", search.protocol, 2)
    assert (full.time_limit, full.budget, full.retries) == (None, None, 3)
    assert full.trial_time_limit == 86400


def test_a_plan_takes_nothing_back() -> None:
    plan = RetrainingPlan("s", (Planned("a", 0, 3), Planned("b", 1, 3)))
    more = plan.with_more([Planned("b", 9, 5), Planned("a", 0, 1), Planned("c", 2, 2)])
    assert more.networks == (Planned("a", 0, 3), Planned("b", 1, 5), Planned("c", 2, 2))
    assert (more.seeds, more.trainings) == (5, 10)
    assert RetrainingPlan.from_stored(more.to_stored()) == more
    assert RetrainingPlan.from_stored(None) is None


def test_every_id_that_is_none_is_named(
    searched: Player, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "0123", ids()[0], "4567", "--study", "tiny")
    assert said.count("no architecture's id begins with") == 2
    assert said.index("0123") < said.index("4567")
    assert ids()[0] not in said


def test_the_plan_of_an_earlier_release_is_read_off_its_trials(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        search = add_study(store, "s", protocol={"epochs": 2, "initialisation": "inherited"})
        for number in (5, 6, 7):
            complete_trial(store, search.id, begin_run(store, search.id).id, number, 0.5)
        full = add_study(store, "s-retrained")
        run = begin_run(store, full.id)
        for number, repeat in ((7, 0), (6, 0), (7, 1), (7, 2)):
            add_trial(store, full.id, run.id, number, repeat=repeat)
        found = plan_of(store, store.studies.get("s-retrained"))
        ids = [architecture(number).id for number in (7, 6)]
        assert found == RetrainingPlan("s", (Planned(ids[0], 2, 3), Planned(ids[1], 1, 3)))
        assert plan_of(store, search) is None
        assert plan_of(store, add_study(store, "alone-retrained")) is None
