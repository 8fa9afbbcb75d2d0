"""A bound without a side on what should be high is refused when written, and read when stored."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from search.config import Config, load_config, merged_for_resume
from search.local_executor import optimize
from search.query import study_objectives
from search.store import open_store
from space import InputError
from tests.search.cli.program import run
from tests.search.driving import begin, run_all
from tests.search.small import config, values
from tests.search.test_optimize import Grid

BARE = {"validation_accuracy": 0.9}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"constraints": BARE}, "validation_accuracy"),
        ({"constraints": BARE, "objectives": {"params": "minimise"}}, "validation_accuracy"),
        ({"constraints": {"params": "1M"}, "objectives": {"params": "maximise"}}, "params"),
        ({"constraints": {"macs": "3M"}, "objectives": {"flops": "maximise"}}, "macs"),
    ],
)
def test_both_readings_are_told(given: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError) as refused:
        Config.from_dict(values(**given))
    (problem,) = refused.value.problems
    assert problem.where == f"constraints.{name}"
    bound = given["constraints"][name]
    assert f"{{at_least: {bound}}} or {{at_most: {bound}}}" in problem.message


def test_also_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(values()))
    with pytest.raises(InputError, match=r"constraints\.validation_accuracy: .*at_least: 0\.9"):
        load_config(file, overrides=["constraints.validation_accuracy=0.9"])


@pytest.mark.parametrize(
    "constraints",
    [{"params": "1M"}, {"validation_loss": 0.5}, {"validation_accuracy": {"at_most": 0.9}}],
)
def test_costs_losses_and_bounds_with_a_side_are_as_ever(constraints: dict[str, Any]) -> None:
    (bound,) = Config.from_dict(values(constraints=constraints)).parsed_objectives.constraints
    assert bound.upper is not None


def test_a_python_search_is_told_so_too() -> None:
    with pytest.raises(InputError, match=r"at_least: 1\.5"):
        optimize(
            Grid(),
            lambda point: {"good": 1.0},
            objectives={"good": "maximise"},
            constraints={"good": 1.5},
        )


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A store of an earlier release, whose study has a bare bound and a checkpoint folder `~`."""
    path = str(tmp_path / "tiny.db")
    with open_store(path, create=True) as store:
        now = config(tmp_path, constraints={"validation_accuracy": {"at_most": 0.9}})
        before = now.model_copy(update={"constraints": BARE, "checkpoints": Path("~/weights")})
        session = begin(store, before)
        run_all(session)
        store.runs.end(store.runs.of_study(session.record.id)[0].id, "the run ended")
    return path


def test_an_old_study_is_read_as_it_was_meant(
    old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store(old, create=False) as store:
        stored = store.studies.get("tiny").config
        bounds = study_objectives(store, "tiny").bounds
    assert stored["constraints"] == BARE
    (bound,) = bounds
    assert (bound.upper, bound.lower) == (0.9, None)
    read = Config.from_stored(stored | {"store": old})
    assert read.parsed_objectives.constraints == bounds
    assert read.checkpoints == tmp_path / "~" / "weights"


def test_an_old_study_is_resumed_by_itself_and_by_what_it_meant(old: str, tmp_path: Path) -> None:
    with open_store(old, create=False) as store:
        stored = store.studies.get("tiny").config
    spelled = config(tmp_path, constraints={"validation_accuracy": {"at_most": 0.9}})
    for asked in (Config.from_stored(stored | {"store": old}), spelled):
        merged, remarks = merged_for_resume(stored, asked)
        assert merged.parsed_objectives == spelled.parsed_objectives
        assert not remarks
    other = config(tmp_path, constraints={"validation_accuracy": {"at_least": 0.9}})
    with pytest.raises(InputError, match=r"constraints\.validation_accuracy"):
        merged_for_resume(stored, other)


def test_every_reader_reads_an_old_study(old: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["best", "--study", "tiny"], ["studies"]):
        code, out, _ = run(capsys, *command, "--store", old)
        assert (code, bool(out)) == (0, True)
    with open_store(old, create=False) as store:
        shown = store.trials.of_study(store.studies.get("tiny").id)[0].architecture_id
    assert run(capsys, "show", shown, "--store", old)[0] == 0
