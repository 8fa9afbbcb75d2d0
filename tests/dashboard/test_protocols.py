"""Where a store has results of several protocols, every page shows those of one."""

import re
from pathlib import Path
from typing import Any

import pytest

from dashboard.navigation import PAGES, study_column
from search.store import open_store
from tests.dashboard import stores
from tests.dashboard.conftest import Open, no_components_of_packages, opened, registered_pages
from tests.dashboard.test_pages import texts
from tests.support import samples

__all__ = ["no_components_of_packages", "opened", "registered_pages"]

SHORT, LONG = "1f" * 8, "2e" * 8


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies a and b of one protocol, then c of another, which is better throughout."""
    file = tmp_path_factory.mktemp("protocols") / "store.db"
    with open_store(str(file), create=True) as store:
        for name, protocol, better in (("a", SHORT, 0.0), ("b", SHORT, 0.01), ("c", LONG, 0.3)):
            study = samples.add_study(store, name, protocol_hash=protocol)
            run = samples.begin_run(store, study.id)
            for number in range(5):
                samples.complete_trial(store, study.id, run.id, number, 0.4 + better + number / 50)
            failed = samples.add_trial(store, study.id, run.id, 9)
            store.trials.start(failed.id, run.id)
            store.trials.finish(failed.id, "failed", f"loss is nan in study {name}")
            store.runs.end(run.id)
    return file


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_show_one(opened: Open, place: Path, page: Any) -> None:
    test = opened(page.name, place)
    assert not test.exception
    assert not test.error
    box = test.sidebar.selectbox(key="protocol")
    assert box.options == [f"c ({LONG[:4]})", f"b, a ({SHORT[:4]})"]
    assert box.value == LONG


def test_the_choice_goes_along(opened: Open, place: Path) -> None:
    test = opened("leaderboard", place)
    assert set(test.dataframe[0].value["accuracy"].round(2)) == {0.7, 0.72, 0.74, 0.76, 0.78}
    test.sidebar.selectbox(key="protocol").select(SHORT).run()
    assert not test.exception
    table = test.dataframe[0].value
    assert table["accuracy"].max() < 0.5
    assert (table["seeds"] == 2).all()  # of a and of b, as they are of one protocol
    assert f"protocol={SHORT}" in table["architecture"][0]
    assert test.query_params["protocol"] == SHORT
    test.switch_page("views/accuracy_cost_view.py").run()
    assert not test.exception
    assert test.sidebar.selectbox(key="protocol").value == SHORT


def test_a_link_says_which(opened: Open, place: Path) -> None:
    test = opened("leaderboard", place, protocol=SHORT)
    assert test.dataframe[0].value["accuracy"].max() < 0.5
    unknown = opened("leaderboard", place, protocol="ffff")
    assert [each.value.split(":")[0] for each in unknown.warning] == [
        "No trial of the filter is of protocol 'ffff'"
    ]
    assert unknown.dataframe[0].value["accuracy"].max() > 0.7


OF_ONE = ({"study": "a"}, {"where": "study = a"}, {"where": f"protocol = {SHORT[:2]}"})


@pytest.mark.parametrize("query", OF_ONE)
def test_where_the_filter_leaves_one_there_is_no_box(
    opened: Open, place: Path, query: dict[str, str]
) -> None:
    test = opened("leaderboard", place, **query)
    assert not test.exception
    assert test.dataframe[0].value["accuracy"].max() < 0.5
    assert not [box for box in test.sidebar.selectbox if box.key == "protocol"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("where", ["study = a", "study = zzz", "accuracy > 0.99"])
def test_pages_open_where_a_clause_leaves_one_or_none(
    opened: Open, place: Path, page: Any, where: str
) -> None:
    test = opened(page.name, place, where=where)
    assert not test.exception
    assert not test.error
    if page.name == "progress" and where == "study = a":
        assert "2 studies" in texts(test)  # those of its protocol, and not c
    if page.name == "relation_graph" and where == "study = a":
        assert "networks of b + a" in texts(test).replace("\\", "")


def test_a_study_without_results_hides_nobody_elses(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "old", protocol_hash=SHORT)
        samples.complete_trial(store, study.id, samples.begin_run(store, study.id).id, 0, 0.5)
        new = samples.add_study(store, "new", protocol_hash=LONG)
        samples.add_trial(store, new.id, samples.begin_run(store, new.id).id, 1)
    test = opened("leaderboard", path)
    assert test.sidebar.selectbox(key="protocol").value == SHORT
    assert list(test.dataframe[0].value["accuracy"]) == [0.5]


@pytest.mark.thorough
def test_a_page_that_is_open_asks_when_a_second_protocol_comes_in(
    opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "live.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "old", protocol_hash=SHORT)
        samples.complete_trial(store, study.id, samples.begin_run(store, study.id).id, 0, 0.5)
        test = opened("progress", path)
        assert not [box for box in test.sidebar.selectbox if box.key == "protocol"]
        new = samples.add_study(store, "new", protocol_hash=LONG)
        samples.complete_trial(store, new.id, samples.begin_run(store, new.id).id, 1, 0.9)
    test.run()
    assert not test.error
    assert test.sidebar.selectbox(key="protocol").value == LONG


def test_a_url_that_changes_goes_before_what_was_chosen(opened: Open, place: Path) -> None:
    test = opened("leaderboard", place)
    test.sidebar.selectbox(key="protocol").select(SHORT).run()
    assert test.query_params["protocol"] == SHORT
    test.query_params["protocol"] = LONG  # as Back does
    test.run()
    assert test.sidebar.selectbox(key="protocol").value == LONG


def test_a_long_clause_goes_with_a_protocol(opened: Open, place: Path) -> None:
    clause = " or ".join(["params > 0"] * 140)
    test = opened("leaderboard", place, where=clause)
    assert 1900 < len(clause) < 2000
    assert not test.error
    assert len(test.dataframe[0].value) == 5


def test_progress_says_what_is_not_on_it(opened: Open, place: Path) -> None:
    test = opened("progress", place)
    assert "studies of other protocols, to be chosen in the sidebar: 2, running: 0." in texts(test)
    assert {metric.label: metric.value for metric in test.metric}["Complete"] == "5"
    failed = next(t.value for t in test.dataframe if "reason" in t.value)
    assert list(failed["reason"]) == ["loss is nan in study c"]


def test_the_overview_has_all(opened: Open, place: Path) -> None:
    test = opened("overview", place, study="a", where="params < 1")
    (table,) = (each.value for each in test.dataframe)
    pattern = study_column()["type_config"]["display_text"]
    shown = [re.search(pattern, link + "&store=x.db") for link in table["study"]]
    assert [found and found[1] for found in shown] == ["c", "b", "a"]
    assert list(table["protocol"]) == [LONG[:6], SHORT[:6], SHORT[:6]]
    assert list(table["ended"]) == [6, 6, 6]
    assert list(table["failed"]) == [1, 1, 1]
    assert "The studies have 2 protocols." in texts(test)
    shown = {metric.label: metric.value for metric in test.metric}
    assert (shown["Studies"], shown["Trials ended"]) == ("3", "18")
    assert shown["Failed"] == "16.7%"


def test_an_architecture_has_its_other_results_apart(opened: Open, place: Path) -> None:
    id_ = samples.architecture(4).id
    test = opened("architecture", place, architecture=id_)
    (accuracy,) = (metric for metric in test.metric if metric.label == "Accuracy")
    assert accuracy.value == "78.00%"
    said = texts(test).replace("\\", "")
    assert "By other protocols, whose results do not compare with this one: 48.50% ±" in said
    narrowed = opened("architecture", place, architecture=id_, study="a")
    (accuracy,) = (metric for metric in narrowed.metric if metric.label == "Accuracy")
    assert accuracy.value == "48.00%"


# --- compare and failures ------------------------------------------------------------------------


def test_networks_are_compared(opened: Open, place: Path) -> None:
    ids = [samples.architecture(number).id for number in (0, 3)]
    test = opened("compare", place, networks=",".join(ids), protocol=SHORT)
    assert not test.exception
    results, differences, tests = (each.value for each in test.dataframe)
    assert [link.rpartition("architecture=")[2][:16] for link in results["architecture"]] == ids
    assert list(results["seeds"]) == ["2", "2"]
    assert differences["part"].iloc[0] == "block type"
    assert list(differences.columns) == ["part", *ids]
    assert list(tests["points"]) == ["-6.00"]
    assert tests["verdict"][0] == f"{ids[1]} is better"
    assert "Results by the protocol of b, a." in texts(test).replace("\\", "")


def test_networks_are_chosen(opened: Open, place: Path) -> None:
    test = opened("compare", place)
    assert "Choose 2 to 6 networks." in texts(test)
    (box,) = test.multiselect
    assert len(box.options) == 5
    one = box.select(box.options[0].rpartition(" ")[2]).run()
    assert "Choose 2 to 6 networks." in texts(one)
    assert one.query_params["networks"]
    (box,) = one.multiselect
    two = box.select(box.options[1].rpartition(" ")[2]).run()
    assert not two.exception
    (box,) = two.multiselect
    assert len(box.value) == 2
    three = box.select(box.options[2].rpartition(" ")[2]).run()
    assert len(three.multiselect[0].value) == len(three.query_params["networks"].split(",")) == 3


def test_an_unknown_network_is_told_and_the_others_stay(opened: Open, place: Path) -> None:
    ids = [samples.architecture(number).id for number in (0, 3)]
    test = opened("compare", place, networks=f"ffff,{ids[0][:8]},eeee,{ids[1]}", protocol=SHORT)
    assert not test.exception
    assert not test.error
    told = [each.value.replace("\\", "") for each in test.warning]
    assert len(told) == 2
    assert all(name in words for name, words in zip(("ffff", "eeee"), told, strict=True))
    assert test.multiselect[0].value == ids
    assert len(test.dataframe) == 3
    none = opened("compare", place, networks="ffff")
    assert "Choose 2 to 6 networks." in texts(none)


def test_results_by_a_protocol_that_is_not_shown_are_told(opened: Open, place: Path) -> None:
    """A link has no protocol, and the sidebar takes one."""
    ids = [samples.architecture(number).id for number in (0, 3)]
    shown = texts(opened("compare", place, networks=",".join(ids), protocol=LONG))
    said = shown.replace("\\", "")
    assert "There are results by other protocols" in said
    assert "b, a." in said


def test_failures_are_counted(opened: Open, store_files: dict[str, Path]) -> None:
    test = opened("failures", store_files["finished"])
    assert not test.exception
    kinds, operators, sizes = (each.value for each in test.dataframe)
    assert sorted(kinds["state"]) == sorted(state for state, _ in stores.FAILURES)
    assert kinds["trials"].sum() == len(stores.FAILURES)
    assert "train loss is nan in epoch …, step …" in set(kinds["reason"])
    assert sizes["failed"].sum() == len(stores.FAILURES)
    assert operators["ended"].sum() >= sizes["ended"].sum() == 26
    assert "3 of 26 ended trials failed or did not fit (11.5%)." in texts(test)


def test_without_failures_there_are_shares_alone(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "fine.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store, "s")
        run = samples.begin_run(store, study.id)
        samples.complete_trial(store, study.id, run.id, 0, 0.5)
    test = opened("failures", path)
    assert not test.exception
    assert "0 of 1 ended trial failed or did not fit (0.0%)." in texts(test)


def test_a_store_that_is_replaced_is_noticed(opened: Open, tmp_path: Path) -> None:
    from dashboard.source import is_still_there, open_scope

    path = tmp_path / "store.db"
    stores.finished(path, 4)
    scope = open_scope(str(path))
    assert is_still_there(scope)
    stores.finished(tmp_path / "other.db", 6)
    (tmp_path / "other.db").replace(path)
    assert not is_still_there(scope)
    assert is_still_there(open_scope(str(path)))
    path.unlink()
    assert not is_still_there(scope)
