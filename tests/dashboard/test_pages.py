"""Every page, run by Streamlit's own test harness, on stores in every state."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.escaping import markdown
from dashboard.navigation import PAGES, STUDY, WHERE
from search.store import ParentRecord, open_store
from tests.dashboard import stores
from tests.dashboard.conftest import SCRIPT, Open
from tests.support import samples

FILES = [entry.name for entry in PAGES]
TITLES = {entry.name: entry.title for entry in PAGES}
STATES = ("missing", "empty", "running", "finished")


def texts(test: AppTest) -> str:
    kinds = (test.title, test.markdown, test.caption, test.code, test.info, test.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("file", FILES)
def test_page_opens(opened: Open, store_files: dict[str, Path], file: str, state: str) -> None:
    test = opened(file, store_files[state])
    assert not test.exception
    assert not test.error
    assert test.title[0].value == TITLES[file]
    if state in ("missing", "empty"):
        assert "make search" in texts(test)
    else:
        assert "make search" not in texts(test)


@pytest.mark.parametrize("file", FILES)
def test_the_filter_goes_along(opened: Open, store_files: dict[str, Path], file: str) -> None:
    test = opened("progress", store_files["finished"], study="quickstart", where="params < 1G")
    test.switch_page(f"views/{file}_view.py").run()
    assert not test.exception
    assert test.title[0].value == TITLES[file]
    assert test.sidebar.text_input(key=WHERE).value == "params < 1G"
    assert test.sidebar.selectbox(key=STUDY).value == "quickstart"


def test_looking_makes_no_store(opened: Open, store_files: dict[str, Path]) -> None:
    opened("progress", store_files["missing"])
    assert not store_files["missing"].exists()


def test_looking_changes_nothing(opened: Open, store_files: dict[str, Path]) -> None:
    def content() -> list[object]:
        with open_store(str(store_files["running"]), create=False) as store:
            return [
                store.studies.summaries()[0].counts,
                store.trials.of_study(1),
                store.runs.of_study(1),
            ]

    before = content()
    for file in FILES:
        opened(file, store_files["running"])
    assert content() == before


def test_progress_of_a_running_study(opened: Open, store_files: dict[str, Path]) -> None:
    test = opened("progress", store_files["running"])
    shown = {metric.label: metric.value for metric in test.metric}
    assert shown["Running"] == "2"
    assert shown["Failed"] == "3"
    assert shown["Best single training"].endswith("%")
    assert shown["Time left"] != "–"
    assert "running" in texts(test)
    running_now, failures = (table.value for table in test.dataframe)
    assert list(running_now["epoch"]) == ["3 of 6", "2 of 6"]
    assert set(failures["reason"]) == {reason for _, reason in stores.FAILURES}


def test_nothing_runs_after_its_process_died(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "dead.db"
    ended = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with open_store(str(path), create=True) as store:
        study = stores.add_study(store, "dead", 4)
        run = stores.begin_run(store, study.id, ended.pid)
        origin, point = stores.points(1)[0]
        trial = stores.add_trial(store, study.id, run.id, origin, point)
        stores.train(store, trial, run.id, point, 1)
        ended.kill()
        ended.communicate()
        before = [
            store.trials.get(trial),
            store.runs.of_study(study.id),
            store.events.of_study(study.id),
        ]
        test = opened("progress", path)
        assert before == [
            store.trials.get(trial),
            store.runs.of_study(study.id),
            store.events.of_study(study.id),
        ]
    assert {metric.label: metric.value for metric in test.metric}["Running"] == "0"
    assert "stopped before its end" in texts(test)
    assert "gone" in test.dataframe[0].value["reason"][0]


@pytest.mark.parametrize("file", ["progress", "leaderboard", "accuracy_cost"])
def test_bounds_of_the_study_are_said(opened: Open, tmp_path: Path, file: str) -> None:
    path = tmp_path / "bounds.db"
    bound = {"validation_accuracy": {"at_least": 0.9}}
    objective = {"objectives": {"validation_accuracy": "maximise"}, "constraints": bound}
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "bounded", objective=objective)
        run = samples.begin_run(store, study.id)
        for number, accuracy in enumerate((0.95, 0.5)):
            samples.complete_trial(store, study.id, run.id, number, accuracy)
    test = opened(file, path)
    assert not test.exception
    assert "1 of 2 completely trained architectures keeps the study's constraints" in texts(test)
    assert "(validation_accuracy at least 0.9)" in texts(test)
    if file == "leaderboard":
        assert list(test.dataframe[0].value["bounds"]) == ["kept", "broken"]


ACCURACIES = (
    *("progress", "leaderboard", "accuracy_cost", "relation_graph", "axes", "architecture"),
)
"""The pages that show accuracies as figures."""


@pytest.mark.parametrize("file", ACCURACIES)
def test_what_is_to_be_known_of_accuracies_stands_beside_them(
    opened: Open, tmp_path: Path, file: str
) -> None:
    """What guessing scores, and that those of the best epoch are optimistic."""
    path = tmp_path / "notes.db"
    told = {"chance": 0.564, "validation_images": 120, "train_images": 480, "remarks": []}
    with open_store(str(path), create=True) as store:
        objective, protocol = {"data": told}, {"judged_by": "best", "epochs": 1}
        study = samples.add_study(store, "s", objective=objective, protocol=protocol)
        run = samples.begin_run(store, study.id)
        samples.complete_trial(store, study.id, run.id, 0, 0.564)
    test = opened(file, path)
    assert not test.exception
    said = texts(test).replace("\\", "")
    for sentence in (
        "Guessing the commonest class scores 56.40% of the 120 validation images.",
        "they are optimistic (protocol.judged_by: best).",
    ):
        assert said.count(sentence) == 1


def test_what_the_report_says_of_the_images_stands_on_the_first_page(
    opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "images.db"
    remarks = ["16 pictures of 2 classes (cat, *dog*)", "left out as broken: 1, such as a.jpg"]
    told = {"chance": 0.5, "validation_images": 4, "train_images": 12, "remarks": remarks}
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "s", objective={"data": told})
        run = samples.begin_run(store, study.id)
        samples.complete_trial(store, study.id, run.id, 0, 0.5)
    said = texts(opened("progress", path)).replace("\\", "")
    assert all(said.count(f"Data: {remark}.") == 1 for remark in remarks)


@pytest.mark.parametrize("file", FILES)
def test_pages_open_while_nothing_but_pruned_trials_has_ended(
    opened: Open, tmp_path: Path, file: str
) -> None:
    path = tmp_path / "pruned.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "s")
        run = samples.begin_run(store, study.id)
        trial = samples.add_trial(store, study.id, run.id, 0)
        store.epochs.record(trial.id, samples.epoch(1, 0.75))
        store.trials.finish(trial.id, "pruned", "rung")
    test = opened(file, path)
    assert not test.exception
    assert not test.error
    if file == "architecture":
        (accuracy,) = (metric for metric in test.metric if metric.label == "Accuracy")
        assert (accuracy.value, accuracy.delta) == ("75.00%", "pruned after 1 epoch")
        assert test.selectbox(key="architecture-box-None").options[0].startswith("75.00% (pruned)")


def test_a_pruned_trial_is_no_best_training_of_an_architecture(
    opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "single.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "s")
        run = samples.begin_run(store, study.id)
        samples.complete_trial(store, study.id, run.id, 0, 0.5)
        again = samples.add_trial(store, study.id, run.id, 0, repeat=1)
        store.epochs.record(again.id, samples.epoch(1, 0.75))
        store.trials.finish(again.id, "pruned", "rung")
    assert "best single training" not in texts(opened("architecture", path))


def test_an_architecture_has_what_the_test_said_of_its_trainings(
    opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "tested.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "s")
        run = samples.begin_run(store, study.id)
        trials = [
            samples.complete_trial(store, study.id, run.id, 0, 0.5, repeat=number)
            for number in range(2)
        ]
    assert "test" not in opened("architecture", path).dataframe[2].value
    with open_store(str(path), create=False) as store:
        reading = store.test_audit.begin(
            trials[1].id,
            protocol_hash=study.protocol_hash,
            images=10,
            chance=0.1,
            content_hash="c" * 16,
            device="cpu",
        )
        store.test_audit.complete(reading.id, 0.25)
    table = opened("architecture", path).dataframe[2].value
    assert list(table["test"]) == ["–", "25.00%"]
    assert list(table.columns).index("test") == list(table.columns).index("accuracy") + 1


def test_where_narrows_the_leaderboard(opened: Open, store_files: dict[str, Path]) -> None:
    everything = opened("leaderboard", store_files["finished"])
    narrowed = opened("leaderboard", store_files["finished"], where="dynamics = attention")
    names = set(narrowed.dataframe[0].value["token mixers"])
    assert names
    assert names <= {"ViT", "Local ViT", "PVT", "Local ViT + ViT", "ViT + PVT", "PVT + ViT"}
    assert len(narrowed.dataframe[0].value) < len(everything.dataframe[0].value)


def test_both_where_boxes_are_one(opened: Open, store_files: dict[str, Path]) -> None:
    test = opened("leaderboard", store_files["finished"])
    test.text_input(key="where_wide").set_value("params < 40k").run()
    assert test.text_input(key="where").value == "params < 40k"
    assert test.query_params["where"] == "params < 40k"
    assert test.dataframe[0].value["params"].max() < 40_000
    test.text_input(key="where").set_value("").run()
    assert test.text_input(key="where_wide").value == ""


@pytest.mark.parametrize("file", FILES)
def test_a_bad_where_is_marked(opened: Open, store_files: dict[str, Path], file: str) -> None:
    test = opened(file, store_files["finished"], where="params < 40k and colour = red")
    assert not test.exception
    assert [error.value for error in test.error] == ["The filter cannot be read"]
    lines = test.code[0].value.splitlines()
    assert "colour" in lines[0]
    assert lines[1].index("colour") == lines[2].index("^")


@pytest.mark.parametrize("file", FILES)
def test_a_filter_without_matches(opened: Open, store_files: dict[str, Path], file: str) -> None:
    test = opened(file, store_files["finished"], where="params > 900G")
    assert not test.exception
    assert not test.error
    if file not in ("relation_graph", "overview"):
        assert "No trial matches the filter." in texts(test)


def test_architecture_by_prefix(opened: Open, store_files: dict[str, Path]) -> None:
    _, point = stores.points(5)[4]
    test = opened("architecture", store_files["finished"], architecture=point.id[:10])
    assert not test.exception
    assert point.to_dict() in [json.loads(code.value) for code in test.code]
    costs, mixers, trials = (table.value for table in test.dataframe[:3])
    assert len(mixers) == point.depth
    assert len(costs) == 2 * len(point.stages) + 1
    assert list(trials["origin"]) == [stores.points(5)[4][0]]


def test_an_architecture_has_its_tags_and_notes_as_they_are_written(
    opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "tagged.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store)
        run = samples.begin_run(store, study.id)
        trial = samples.complete_trial(store, study.id, run.id, 1, 0.5)
    test = opened("architecture", path)
    assert "Tags:" not in texts(test)
    with open_store(str(path), create=False) as store:
        for tag in ("to ship", ":red[a]*b*"):
            store.tags.add(trial.architecture_id, tag)
        store.tags.add_note(trial.architecture_id, "see <b>the</b>\nlog")
    test = opened("architecture", path)
    assert f"Tags: {markdown(':red[a]*b*, to ship')}" in texts(test)
    assert markdown("see <b>the</b>\nlog") in texts(test)


def test_an_unknown_architecture(opened: Open, store_files: dict[str, Path]) -> None:
    test = opened("architecture", store_files["finished"], architecture="ffffffffffffffff")
    assert not test.exception
    assert "ffffffffffffffff" in test.code[0].value
    assert test.error


def test_chosen_trials_instead_of_the_best(opened: Open, store_files: dict[str, Path]) -> None:
    test = opened("learning_curves", store_files["finished"])
    box = test.multiselect(key="trials")
    test = box.set_value([1]).run()
    assert not test.exception
    assert test.multiselect(key="trials").value == [1]


def test_an_unreachable_server_without_its_password(opened: Open) -> None:
    test = opened("leaderboard", "postgresql://me:hunter2@127.0.0.1:1/nothing")
    assert not test.exception
    assert test.error[0].value == "The store cannot be opened"
    assert "does not answer" in test.code[0].value
    assert "hunter2" not in texts(test)
    assert "hunter2" not in str(test.main) + str(test.sidebar)


def test_a_store_of_a_newer_schema(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    open_store(str(path), create=True).close()
    import sqlite3

    with sqlite3.connect(path) as database:
        database.execute("UPDATE mixspace_version SET version_num = '9999'")
    test = opened("progress", path)
    assert not test.exception
    assert "newer" in test.code[0].value


def test_a_file_that_is_no_store(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all")
    test = opened("progress", path)
    assert not test.exception
    assert "not an SQLite database" in test.code[0].value


@pytest.mark.thorough
def test_light_imports() -> None:
    """All of the dashboard without torch, Ray, Optuna or the trainers."""
    code = (
        "import pkgutil, sys, importlib, dashboard\n"
        "for m in pkgutil.walk_packages(dashboard.__path__, 'dashboard.'):\n"
        "    importlib.import_module(m.name)\n"
        "bad = {'torch', 'ray', 'optuna', 'trainers', 'timm', 'torchvision'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=SCRIPT.parents[1],
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_kind_of_trial_is_counted_and_ties_are_called_ties(
    opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "repeats.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "repeats", searcher="tpe")
        run = samples.begin_run(store, study.id)
        for number, accuracy in enumerate((0.80, 0.79, 0.20)):
            samples.complete_trial(store, study.id, run.id, number, accuracy)
        samples.complete_trial(store, study.id, run.id, 0, 0.81, repeat=1)
        samples.complete_trial(
            store,
            study.id,
            run.id,
            4,
            0.01,
            origin="random baseline",
            parent=ParentRecord(1, "along"),
        )
    progress = texts(opened("progress", path))
    assert "5 complete, 0 pruned, 0 infeasible, 0 failed, 0 preempted" in progress
    assert "0 reused, 1 inherited, 0 continued, 1 repeated" in progress
    assert "1 random and 0 searched evaluations, 1 and 0 of them trained" in progress
    (table,) = opened("leaderboard", path).dataframe
    assert list(table.value["place"]) == ["=1", "=1", "3", "4"]
    assert list(table.value["seeds"]) == [2, 1, 1, 1]


def test_what_was_pruned_has_a_table_of_its_own(opened: Open, store_files: dict[str, Path]) -> None:
    """And what an earlier release judged by its best epoch is called optimistic."""
    test = opened("leaderboard", store_files["finished"])
    whole, stopped = (table.value for table in test.dataframe)
    assert "state" not in whole.columns  # it is complete, all of it
    assert set(stopped["state"]) == {"pruned"}
    assert set(stopped["place"]) == {"–"}
    assert "Stopped early: these accuracies compare with none" in texts(test)
    assert "they are optimistic (protocol.judged_by: best)" in texts(test)
