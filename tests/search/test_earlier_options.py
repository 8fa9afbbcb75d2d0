"""Options of searchers that had another name in an earlier release: they mean what they meant."""

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import update

from search.config import Config, load_config, merged_for_resume
from search.config.other_names import by_current_names
from search.config.overrides import apply_overrides
from search.objective_parsing import parse_objectives
from search.registry import Registry
from search.searchers import SEARCHERS, Task, make_searcher
from search.store import Store, open_store
from search.store.models import StudyRow
from search.testing.toy_spaces import ToySpace
from space.errors import InputError
from space.input.earlier_names import notice
from tests.search.driving import begin, run_all
from tests.search.small import config, values
from trainers import DataConfig, Protocol

BEFORE = {"name": "tpe", "startup_trials": 3, "look_back": 30}
NOW = {"name": "tpe", "startup_trials": 3, "history_window": 30}


@pytest.fixture(autouse=True)
def told_nothing_yet() -> None:
    notice.cache_clear()


@pytest.mark.parametrize("name", ["tpe", "gp"])
def test_the_earlier_name_is_read_with_a_notice(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            found = Config.from_dict(values(searcher={"name": name, "look_back": 30})).searcher
    assert found == SEARCHERS.options({"name": name, "history_window": 30})
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"The option look_back of {name} is called history_window now."]
    made: Any = make_searcher(name, Task(ToySpace()), 0, {"look_back": 30})
    assert made.inner.options.history_window == 30


def test_both_names_at_once_are_refused() -> None:
    with pytest.raises(InputError) as refused:
        Config.from_dict(values(searcher=BEFORE | NOW))
    said = "is now called 'history_window', which is given too: give it once"
    assert [str(each) for each in refused.value.problems] == [f"searcher.look_back: {said}"]


def test_what_is_wrong_with_its_value_is_said_by_its_name_of_today() -> None:
    with pytest.raises(InputError, match=r"searcher\.history_window: must be at least 20; got 1"):
        Config.from_dict(values(searcher={"name": "tpe", "look_back": 1}))


@pytest.mark.parametrize("written", [BEFORE, NOW, {"name": "tpe"}])
def test_a_stored_study_with_the_earlier_name_is_the_same_study(
    written: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    stored = Config.from_dict(values(searcher=NOW)).to_stored() | {"searcher": BEFORE}
    given = Config.from_dict(values(searcher=written))
    caplog.clear()
    merged, remarks = merged_for_resume(stored, given)
    assert merged.searcher == SEARCHERS.options(NOW)
    assert not caplog.records, "the study is not the person's words"
    assert remarks == []


def test_a_study_of_before_goes_on_as_one_that_was_never_interrupted(tmp_path: Path) -> None:
    def networks(store: Store) -> list[str]:
        return [
            trial.architecture_id for trial in store.trials.of_study(store.studies.get("tiny").id)
        ]

    whole, cut = (
        config(tmp_path / name, searcher=NOW, trials=9, seed=3) for name in ("whole", "cut")
    )
    for settings in (whole, cut):
        Path(settings.store).parent.mkdir()
    with open_store(whole.store, create=True) as store:
        run_all(begin(store, whole))
        expected = networks(store)
    short = config(tmp_path / "cut", searcher=NOW, trials=5, seed=3)
    with open_store(cut.store, create=True) as store:
        run_all(begin(store, short))
        then = short.to_stored() | {"searcher": BEFORE}
        store.write(lambda db: db.execute(update(StudyRow).values(config=then, planned_trials=9)))
        stored = store.studies.get("tiny").config
        assert "look_back" in stored["searcher"]
        settings, _ = merged_for_resume(stored, cut)
        run_all(begin(store, settings.model_copy(update={"store": cut.store})))
        assert networks(store) == expected


def test_a_stored_searcher_whose_package_is_gone_is_left_as_it_is() -> None:
    registry: Registry[Any] = SEARCHERS
    for chosen in ({"name": "of-nobody", "look_back": 3}, "tpe", None):
        assert registry.with_current_names(chosen) == chosen


def with_the_earlier_name(space: dict[str, Any]) -> dict[str, Any]:
    return {"scaffold" if name == "block_type" else name: value for name, value in space.items()}


def test_a_space_with_the_earlier_name_of_the_block_type_is_read_with_a_notice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            found = Config.from_dict(values(space=with_the_earlier_name(values()["space"])))
    assert found.to_dict() == Config.from_dict(values()).to_dict()
    said = [record.getMessage() for record in caplog.records]
    assert said == ["The field scaffold of a space is called block_type now."]


def test_a_stored_study_with_the_earlier_name_of_the_block_type_is_gone_on_with(
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = Config.from_dict(values())
    stored = given.to_stored()
    stored["space"] = with_the_earlier_name(stored["space"])
    merged, remarks = merged_for_resume(stored, given)
    assert (merged.to_dict(), remarks, caplog.records) == (given.to_dict(), [], [])


@pytest.mark.parametrize("written", ["scaffold", "block_type"])
@pytest.mark.parametrize("changed", ["scaffold", "block_type"])
def test_the_block_type_is_overridden_by_either_name(written: str, changed: str) -> None:
    space = with_the_earlier_name(values()["space"])
    space[written] = space.pop("scaffold")
    found = apply_overrides({"space": space}, [f"space.{changed}=[prenorm]"], dict)
    assert found["space"] == values()["space"] | {"block_type": ["prenorm"]}


# --- an override by one name, where the file has the other ------------------------------------


def given(folder: Path, *overrides: str, **changes: Any) -> Config:
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(values(**changes)))
    return load_config(path, overrides=overrides)


@pytest.mark.parametrize("changed", ["look_back", "history_window"])
@pytest.mark.parametrize("written", [BEFORE, NOW, "tpe", {"name": "random"}])
def test_an_option_is_overridden_by_either_name(
    tmp_path: Path, written: Any, changed: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = ["searcher.name=tpe"] * (written == {"name": "random"})
    found = given(tmp_path, f"searcher.{changed}=50", *name, searcher=written).searcher
    rest = {"startup_trials": 3} if "startup_trials" in written else {}
    assert found == SEARCHERS.options({"name": "tpe", "history_window": 50} | rest)
    said = ["The option look_back of tpe is called history_window now."]
    is_before = changed == "look_back" or written == BEFORE
    assert [record.getMessage() for record in caplog.records] == said * is_before


def test_the_last_override_counts_by_whichever_name(tmp_path: Path) -> None:
    by_both = ["searcher.look_back=40", "searcher.history_window=50", "searcher.look_back=60"]
    for more in ([], ["searcher.name=gp"]):
        found: Any = given(tmp_path, *by_both, *more, searcher="tpe").searcher
        assert found.history_window == 60


def test_a_space_is_overridden_by_either_name_with_a_notice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    space = with_the_earlier_name(values()["space"])
    for _ in range(2):
        found = given(tmp_path, "space.block_type=[prenorm]", space=space).space
        assert found.to_dict()["block_type"] == ["prenorm"]
    said = [record.getMessage() for record in caplog.records]
    assert said == ["The field scaffold of a space is called block_type now."]


@pytest.mark.parametrize("written", ["optimiser", "optimizer"])
@pytest.mark.parametrize("changed", ["optimiser", "optimizer"])
def test_a_protocol_is_overridden_in_either_spelling(
    tmp_path: Path, written: str, changed: str, caplog: pytest.LogCaptureFixture
) -> None:
    protocol = values()["protocol"] | {written: "sgd"}
    found = given(tmp_path, f"protocol.{changed}=adamw", protocol=protocol).protocol
    assert found.optimiser == "adamw"
    assert not caplog.records, "neither spelling is an earlier one"


@pytest.mark.parametrize("written", ["flops", "macs"])
@pytest.mark.parametrize("changed", ["flops", "macs"])
def test_a_metric_is_overridden_by_either_name(tmp_path: Path, written: str, changed: str) -> None:
    space = values()["space"] | {"limits": {written: "900M"}}
    found = given(
        tmp_path,
        f"constraints.{changed}=2M",
        f"objectives.{changed}=minimise",
        f"space.limits.{changed}=800M",
        space=space,
        constraints={written: "1M"},
        objectives={written: "maximise"},
    )
    assert found.parsed_objectives == parse_objectives({"macs": "minimise"}, {"macs": "2M"})
    assert found.space.to_dict()["limits"] == {"macs": 800_000_000}


def test_a_side_of_a_bound_is_set_by_either_name(tmp_path: Path) -> None:
    bound = {"flops": {"at_most": "900M"}}
    found = given(tmp_path, "constraints.macs.at_least=1k", constraints=bound)
    assert found.constraints == {"macs": {"at_most": "900M", "at_least": "1k"}}


def test_a_file_with_both_names_is_refused_also_where_one_is_overridden(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"searcher\.look_back: is now called 'history_window'"):
        given(tmp_path, "searcher.history_window=50", searcher=BEFORE | NOW)
    both = {"flops": "1M", "macs": "1M"}
    with pytest.raises(InputError, match="is the same metric as constraints"):
        given(tmp_path, "constraints.macs=2M", constraints=both)


def test_an_option_of_a_package_that_is_gone_is_refused_as_without_overrides(
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match=r"searcher\.name: 'of-nobody' is not allowed"):
        given(tmp_path, "searcher.look_back=50", searcher={"name": "of-nobody"})


def test_every_other_spelling_of_a_section_is_known_to_overrides() -> None:
    """Those that pydantic reads; a new one is found by itself."""
    for section, model in (("protocol", Protocol), ("data", DataConfig)):
        for name, field in model.model_fields.items():
            choices = getattr(field.validation_alias, "choices", [name])
            for choice in map(str, choices):
                found = by_current_names({section: {name: 1}}, [section, choice])
                assert found == [section, str(choices[0])]
