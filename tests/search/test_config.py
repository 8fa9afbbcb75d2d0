"""Configurations: read, checked as a whole, overridden, merged on resume."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from search.config import Config, load_config, merged_for_resume
from search.driver.study_setup import initial_points
from search.searchers import SEARCHERS
from space import DesignSpace, InputError
from space.design.paired_points import NAMED_OPERATORS, PAIRED
from space.wording import as_written
from tests.search.small import SPACE, values
from trainers import Protocol

ROOT = Path(__file__).parents[2]


def problems(error: pytest.ExceptionInfo[InputError]) -> dict[str, str]:
    return {problem.where: problem.message for problem in error.value.problems}


def write(folder: Path, content: Any) -> Path:
    path = folder / "study.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_configurations_are_valid(path: Path) -> None:
    config = load_config(path)
    assert Config.from_dict(config.to_dict()).to_dict() == config.to_dict()


def test_imagenet_follows_the_recipe_of_the_paper() -> None:
    config = load_config(ROOT / "configs" / "imagenet.yaml")
    assert config.protocol == Protocol.paper_imagenet()


def test_the_quickstart_begins_with_every_operator_in_one_skeleton_and_then_searches() -> None:
    config = load_config(ROOT / "configs" / "quickstart.yaml")
    points = initial_points(config)
    paired = [p.origin for p in points if p.origin.startswith(PAIRED)]
    assert paired == [f"{PAIRED}{name}" for name in NAMED_OPERATORS]
    assert [p.origin for p in points[: len(paired)]] == paired
    assert len(points) < config.trials / 1.5


def test_plain_values_read_back_equal() -> None:
    config = Config.from_dict(values(time_limit="4h", searcher={"name": "tpe"}))
    assert config.time_limit == 4 * 3600
    assert Config.from_dict(config.to_dict()).to_dict() == config.to_dict()


def test_all_problems_of_all_parts_come_at_once() -> None:
    bad = values(
        study="no spaces please",
        space=SPACE | {"classes": 0, "stages": [{"depth": 1, "width": 16, "colour": "red"}]},
        data={"name": "fashion-mnist", "source": "moon"},
        protocol={"epochs": 0, "learning_rte": 1},
        searcher={"name": "tpe", "candidates": 0},
        scheduler={"name": "asha", "reduction_factor": 1},
        trials=0,
        initial=["named", "named"],
        time_limit="soon",
        resources={"gpus_per_trial": 1.5},
        extra=1,
    )
    with pytest.raises(InputError) as error:
        Config.from_dict(bad)
    found = problems(error)
    expected = {
        "study": "no spaces please",
        "space.classes": "",
        "space.stages[0].colour": "unknown field",
        "data.source": "moon",
        "protocol.epochs": "0",
        "protocol.learning_rte": "unknown field",
        "searcher.candidates": "0",
        "scheduler.reduction_factor": "1",
        "trials": "0",
        "initial": "once",
        "time_limit": "4h",
        "resources.gpus_per_trial": "1.5",
        "extra": "unknown field",
    }
    assert set(found) == set(expected)
    for where, text in expected.items():
        assert text in found[where]


def test_an_unknown_searcher_lists_those_there_are() -> None:
    with pytest.raises(InputError, match=r"'random', 'tpe'"):
        Config.from_dict(values(searcher={"name": "gradient"}))


@pytest.mark.parametrize("given", ["quickstart", 3, {"a": 1}, ["a", 3], None])
def test_a_warm_start_is_a_list_of_names(given: object) -> None:
    with pytest.raises(InputError) as error:
        Config.from_dict(values(warm_start=given))
    said = f"must be a list of study names; got {as_written(given)}"
    assert problems(error) == {"warm_start": said}
    with pytest.raises(InputError, match="warm_start: must name each once"):
        Config.from_dict(values(warm_start=["a", "a"]))


def test_required_fields() -> None:
    with pytest.raises(InputError) as error:
        Config.from_dict({})
    assert problems(error) == dict.fromkeys(("study", "space", "trials"), "this field is required")


def test_fields_that_do_not_fit_together() -> None:
    with pytest.raises(InputError) as error:
        Config.from_dict(values(scheduler={"name": "asha", "grace_epochs": 3}))
    assert problems(error) == {
        "scheduler.grace_epochs": "must not exceed protocol.epochs (2); got 3"
    }
    with pytest.raises(InputError) as error:
        Config.from_dict(values(protocol={"data": "image-folder"}))
    assert "protocol.data" in problems(error)


@pytest.mark.parametrize(
    ("text", "seconds"), [(90, 90), ("90", 90), ("1.5m", 90), ("2h", 7200), ("2d", 172800)]
)
def test_durations(text: object, seconds: float) -> None:
    assert Config.from_dict(values(time_limit=text)).time_limit == seconds


@pytest.mark.parametrize("text", ["", "h", "-3", "0", "4 weeks", True, [1], "nan", "1e3"])
def test_bad_durations(text: object) -> None:
    with pytest.raises(InputError, match="time_limit"):
        Config.from_dict(values(time_limit=text))


# --- files ------------------------------------------------------------------------------------


def test_space_in_its_own_file_is_found_from_the_folder_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces" / "tiny.yaml").write_text(yaml.safe_dump(SPACE))
    path = write(tmp_path, values(space="spaces/tiny.yaml"))
    monkeypatch.chdir("/")
    assert load_config(path).space.to_dict() == Config.from_dict(values()).space.to_dict()
    narrow = load_config(path, overrides=["space.stages[0].width=16"])
    assert narrow.space.size_hint() < load_config(path).space.size_hint()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("study: [", "not valid YAML"),
        ("- 1", "must hold a mapping"),
        ("", "must hold a mapping"),
        ("study: a\nstudy: b", "line 2: the key 'study' stands there twice"),
        ("data: {a: 1, b: {c: 1,\n c: 2}}", "line 2: the key 'data.b.c' stands there twice"),
        ("a: !!python/object/apply:os.getcwd []", "not valid YAML"),
    ],
)
def test_bad_files(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_config(write(tmp_path, content))


@given(st.text(alphabet="studyace01:.-_ \n\t[]{}&*<>!|?,'\"#\x00", max_size=50))
@settings(max_examples=150, deadline=None)
def test_junk_for_a_file_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        load_config(path)
    with pytest.raises(InputError):
        load_config(path, overrides=[text])


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config: there is no file .*absent\.yaml; a conf"):
        load_config(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="space: there is no file"):
        load_config(write(tmp_path, values(space="nowhere.yaml")))
    with pytest.raises(InputError, match="cannot be read"):
        load_config(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        load_config(tmp_path / "binary.yaml")


SHIPPED = ROOT / "configs"


def test_what_comes_with_the_program_is_known_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in SHIPPED.glob("*.yaml"):
        if file.stem not in ("imagenet", "own-images"):  # these want a folder of images
            assert load_config(Path(file.stem)).to_dict() == load_config(file).to_dict()
    tiny = load_config(Path("quickstart"), overrides=["space=fashion-cells"])
    assert (
        tiny.search_space.name
        == load_config(
            SHIPPED / "quickstart.yaml", overrides=["space=spaces/fashion-cells.yaml"]
        ).search_space.name
    )
    for file in (SHIPPED / "spaces").glob("*.yaml"):
        assert DesignSpace.from_yaml(file.stem).to_dict() == DesignSpace.from_yaml(file).to_dict()


def test_a_file_comes_before_a_name_and_a_folder_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart").mkdir()
    assert load_config(Path("quickstart")).study == "quickstart"
    (tmp_path / "quickstart").rmdir()
    (tmp_path / "fashion-cells").write_text(yaml.safe_dump(SPACE))
    write(tmp_path, values(study="mine", space="fashion-cells")).rename(tmp_path / "quickstart")
    found = load_config(Path("quickstart"))
    assert (found.study, found.search_space.name) == ("mine", SPACE["name"])
    assert DesignSpace.from_yaml("fashion-cells").name == SPACE["name"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("quikstart", "did you mean 'quickstart'"),
        ("configs/quickstart.yaml", "did you mean 'quickstart'"),
        (
            "nothing",
            "its name: accuracy-and-cost, custom-mixers, imagenet, own-images, quickstart",
        ),
        ("./quickstart.yaml", "did you mean 'quickstart'"),
    ],
)
def test_an_unknown_name_lists_what_there_is(
    given: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"^config: there is no file .*{re.escape(said)}"):
        load_config(Path(given))
    with pytest.raises(InputError, match=r"^space: there is no file imagenet-tinny; a space .*, "):
        DesignSpace.from_yaml("imagenet-tinny")


# --- --set ------------------------------------------------------------------------------------


def test_overrides_are_yaml_and_apply_in_order(tmp_path: Path) -> None:
    path = write(tmp_path, values())
    config = load_config(
        path,
        overrides=[
            "trials=7",
            "protocol.epochs=1",
            "protocol.epochs=3",
            "searcher={name: tpe, candidates: 5}",
            "initial=[named, axes]",
            "time_limit=null",
            "space.mixers[1].heads=2",
            "checkpoints=/data/x=y",
        ],
        study="other",
        store="other.db",
    )
    assert (config.trials, config.protocol.epochs, config.time_limit) == (7, 3, None)
    assert config.searcher == SEARCHERS.options({"name": "tpe", "candidates": 5})
    assert (config.study, config.store) == ("other", "other.db")
    assert config.checkpoints == Path("/data/x=y")
    assert config.space.to_dict()["mixers"][1]["heads"] == 2


def test_another_searcher_or_scheduler_drops_the_options_of_the_old_one() -> None:
    path = ROOT / "configs" / "quickstart.yaml"
    config = load_config(path, overrides=["searcher.name=random", "scheduler.name=none"])
    assert (config.searcher.name, config.scheduler.name) == ("random", "none")
    config = load_config(path, overrides=["searcher.candidates=5", "searcher.name=tpe"])
    assert config.searcher == SEARCHERS.options(
        {"name": "tpe", "startup_trials": 10, "candidates": 5}
    )


def test_options_of_another_searcher_that_are_set_beside_its_name_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path, values())
    config = load_config(path, overrides=["searcher.candidates=5", "searcher.name=tpe"])
    assert config.searcher == SEARCHERS.options({"name": "tpe", "candidates": 5})
    with pytest.raises(
        InputError, match=r"searcher\.candidates: unknown option of 'random'; it has no options"
    ):
        load_config(path, overrides=["searcher.candidates=5", "searcher.name=random"])


@pytest.mark.parametrize(
    "field",
    [
        "trials",
        "seed",
        "scheduler.grace_epochs",
        "scheduler.reduction_factor",
        "searcher.startup_trials",
        "protocol.epochs",
        "protocol.batch_size",
        "data.limit_train",
        "resources.concurrent_trials",
    ],
)
@pytest.mark.parametrize("value", ["true", "3.0", "'3'"])
def test_whole_numbers_are_nothing_else(tmp_path: Path, field: str, value: str) -> None:
    given = values(searcher={"name": "tpe"}, scheduler={"name": "asha"})
    with pytest.raises(InputError) as error:
        load_config(write(tmp_path, given), overrides=[f"{field}={value}"])
    assert field in problems(error)
    assert "integer" in problems(error)[field]


@pytest.mark.parametrize(
    "text", ["trials", "=3", "a..b=1", "trials.x=1", "[0]=1", "study[0]=1", "initial[9]=x", "a=["]
)
def test_bad_overrides_are_all_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError) as error:
        load_config(write(tmp_path, values()), overrides=[text, "also bad"])
    assert {problem.where for problem in error.value.problems} == {"--set"}
    assert len(error.value.problems) == 2
    assert text.split("=")[0] in str(error.value)


def test_an_override_of_an_unknown_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"protocol\.epoch: unknown field; .* mean 'epochs'\?"):
        load_config(write(tmp_path, values()), overrides=["protocol.epoch=3"])


# --- resume -----------------------------------------------------------------------------------


def test_resume_keeps_what_decides_the_search_and_takes_what_may_change() -> None:
    stored = Config.from_dict(values(seed=1))
    given = Config.from_dict(
        values(
            seed=2,
            trials=9,
            searcher={"name": "tpe"},
            resources={"cpus_per_trial": 2},
            time_limit=5,
            store="elsewhere.db",
        )
    )
    merged, remarks = merged_for_resume(stored.to_dict(), given)
    assert (merged.seed, merged.searcher.name) == (1, "random")
    assert (merged.trials, merged.time_limit, merged.store) == (9, 5, "elsewhere.db")
    assert merged.resources.cpus_per_trial == 2
    assert any(remark.startswith("seed: the study keeps 1") for remark in remarks)
    assert any(remark.startswith("searcher") for remark in remarks)


def test_resume_remarks_only_on_what_was_given() -> None:
    stored = Config.from_dict(values(searcher={"name": "tpe", "candidates": 9}, seed=3))
    for asked in (values(), values(searcher={"name": "tpe"})):
        _, remarks = merged_for_resume(stored.to_stored(), Config.from_dict(asked))
        assert [r for r in remarks if not r.startswith("searcher.name: ")] == []
    _, remarks = merged_for_resume(stored.to_stored(), Config.from_dict(values()))
    assert remarks == ["searcher.name: the study keeps 'tpe' ('random' is ignored)"]


def test_resume_never_shrinks_the_plan() -> None:
    merged, remarks = merged_for_resume(
        Config.from_dict(values(trials=9)).to_dict(), Config.from_dict(values(trials=3))
    )
    assert merged.trials == 9
    assert remarks == ["trials: the study already plans 9 (3 is ignored)"]


def test_resume_refuses_another_space_data_or_protocol_and_names_the_fields() -> None:
    stages = [{"depth": [1, 2], "width": [16, 64], "mlp_ratio": 2}]
    given = values(space=SPACE | {"stages": stages})
    given["protocol"]["epochs"] = 3
    given["data"]["limit_train"] = 100
    with pytest.raises(InputError) as error:
        merged_for_resume(Config.from_dict(values()).to_dict(), Config.from_dict(given))
    found = problems(error)
    assert set(found) == {
        "space.stages[0].width",
        "protocol.epochs",
        "data.limit_train",
        "resume",
    }
    assert "2" in found["protocol.epochs"]
    assert "3" in found["protocol.epochs"]


def test_where_the_images_lie_may_change() -> None:
    given = values()
    given["data"] |= {"source": "full", "folder": "/somewhere"}
    merged, _ = merged_for_resume(Config.from_dict(values()).to_dict(), Config.from_dict(given))
    assert str(merged.data.folder) == "/somewhere"
