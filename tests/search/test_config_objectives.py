"""One metric has two words, flops and macs; a goal that is given by both is refused."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from search.config import Config, load_config
from search.config.differences import merged_for_resume
from search.objective_parsing import with_current_metrics
from space.errors import InputError
from tests.search.small import config, values
from trainers import Protocol

CONSTRAINT = "constraints.macs: is the same metric as constraints.flops, give it once"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"constraints": {"flops": "500k", "macs": {"at_least": "600k"}}}, CONSTRAINT),
        ({"constraints": {"flops": "3M", "macs": "3M"}}, CONSTRAINT),
        (
            {"constraints": {"macs": "3M", "flops": "6M"}},
            "constraints.flops: is the same metric as constraints.macs, give it once",
        ),
        (
            {"objectives": {"macs": "minimise", "flops": "maximise"}, "searcher": "evolution"},
            "objectives.flops: is the same metric as objectives.macs, give it once",
        ),
    ],
)
def test_a_metric_by_both_of_its_names_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        Config.from_dict(values(**given))
    assert message in str(refused.value).splitlines()


def test_the_second_name_from_the_command_line_overrides_the_first(tmp_path: Path) -> None:
    """As the first would; it is one field, of which the command line has the last word."""
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(values(constraints={"flops": "500k"})))
    for name in ("flops", "macs"):
        found = load_config(file, overrides=[f"constraints.{name}={{at_least: 600k}}"])
        assert found.constraints == {"macs": {"at_least": "600k"}}


def test_either_name_alone_is_the_same_objective() -> None:
    flops, macs = (Config.from_dict(values(constraints={name: "9M"})) for name in ("flops", "macs"))
    assert flops.parsed_objectives == macs.parsed_objectives
    assert flops.constraints == macs.constraints == {"macs": "9M"}
    wanted = Config.from_dict(values(objectives={"flops": "minimize"})).objectives
    assert wanted == {"macs": "minimise"}


@pytest.mark.parametrize("bound", [None, True, "much"])
def test_a_bound_is_refused_where_it_was_written(bound: object) -> None:
    with pytest.raises(InputError) as caught:
        Config.from_dict(values() | {"constraints": {"validation_accuracy": bound}})
    assert [problem.where for problem in caught.value.problems] == [
        "constraints.validation_accuracy"
    ]
    with pytest.raises(InputError) as caught:
        Config.from_dict(values() | {"constraints": {"validation_accuracy": {"at_least": bound}}})
    assert [problem.where for problem in caught.value.problems] == [
        "constraints.validation_accuracy.at_least"
    ]


def test_whole_numbers_have_an_upper_bound() -> None:
    endless = 10**30
    changes: dict[str, dict[str, object]] = {
        "stop_after_same_failures": {"stop_after_same_failures": endless},
        "searcher.startup_trials": {"searcher": {"name": "tpe", "startup_trials": endless}},
        "searcher.history_window": {"searcher": {"name": "gp", "history_window": endless}},
        "searcher.startup": {"searcher": {"name": "surrogate", "startup": endless}},
        "data.limit_train": {"data": {"limit_train": endless}},
        "data.limit_validation": {"data": {"limit_validation": endless}},
        "protocol.split_seed": {"protocol": {"split_seed": endless}},
    }
    for where, change in changes.items():
        with pytest.raises(InputError) as caught:
            Config.from_dict(values() | change)
        assert [problem.where for problem in caught.value.problems] == [where]


def test_a_space_is_read_from_what_is_no_regular_file(tmp_path: Path) -> None:
    plain = values()
    pipe = tmp_path / "space.yaml"
    os.mkfifo(pipe)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(plain | {"space": str(pipe)}))
    text = yaml.safe_dump(plain["space"])
    writer = threading.Thread(target=lambda: pipe.write_text(text), daemon=True)
    writer.start()
    read = load_config(tmp_path / "c.yaml")
    assert read.space.to_dict() == Config.from_dict(plain).space.to_dict()
    writer.join()


@pytest.mark.parametrize("word", ["maximize", "maximise"])
def test_a_study_is_resumed_in_either_spelling(word: str, tmp_path: Path) -> None:
    stored = config(tmp_path, objectives={"validation_accuracy": word}).to_stored()
    assert stored["objectives"] == {"validation_accuracy": "maximise"}
    # An earlier release kept what was written.
    for names in ({"flops": "9M"}, {"macs": "9M"}):
        before = stored | {"objectives": {"validation_accuracy": word}, "constraints": names}
        given = config(tmp_path, constraints={"macs": "9M"})
        assert merged_for_resume(before, given)[0].constraints == given.constraints
    for again in ("maximize", "maximise"):
        given = config(tmp_path, objectives={"validation_accuracy": again})
        assert merged_for_resume(stored, given)[0].objectives == stored["objectives"]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"flops": "30M"}, {"macs": "30M"}),
        ({"macs": "30M"}, {"flops": 30_000_000}),
        ({"macs": "30M"}, {"macs": "30000k"}),
        ({"params": "30M"}, {"params": {"at_most": "30M"}}),
        ({"params": {"at_most": 30_000_000.0}}, {"params": "30M"}),
        ({"inference_bytes": "1 GiB"}, {"inference_bytes": {"at_most": 2**30}}),
        (
            {"flops": {"at_least": "1k", "at_most": "9M"}, "params": "1M"},
            {"params": 10**6, "macs": {"at_most": "9000k", "at_least": 1000}},
        ),
        ({"validation_loss": 2}, {"validation_loss": {"at_most": 2.0}}),
    ],
)
def test_a_study_is_resumed_however_its_bounds_are_written(
    before: dict[str, Any], now: dict[str, Any], tmp_path: Path
) -> None:
    stored = config(tmp_path, constraints=before).to_stored()
    merged, remarks = merged_for_resume(stored, config(tmp_path, constraints=now))
    assert (merged.constraints, remarks) == (with_current_metrics(before), [])


@pytest.mark.parametrize(("before", "now"), [("flops", "macs"), ("macs", "flops")])
def test_a_study_is_resumed_by_either_name_of_an_objective(
    before: str, now: str, tmp_path: Path
) -> None:
    stored, given = (
        config(tmp_path, objectives={"validation_accuracy": "maximise", name: "minimise"})
        for name in (before, now)
    )
    assert merged_for_resume(stored.to_stored(), given)[0].objectives == stored.objectives


@pytest.mark.parametrize(
    ("before", "now", "where", "said"),
    [
        ({"flops": "30M"}, {"macs": "40M"}, "macs", "'30M'; got '40M'"),
        ({"flops": "30M"}, {}, "macs", "'30M'; got None"),
        ({}, {"flops": "30M"}, "macs", "None; got '30M'"),
        ({"macs": "30M"}, {"macs": {"at_most": "40M"}}, "macs", "'30M'; got {'at_most': '40M'}"),
        (
            {"flops": {"at_least": "1k", "at_most": "9M"}},
            {"macs": {"at_least": 1000, "at_most": "8M"}},
            "macs.at_most",
            "'9M'; got '8M'",
        ),
        (
            {"macs": {"at_most": "9M"}},
            {"macs": {"at_most": 9_000_000, "at_least": "1k"}},
            "macs.at_least",
            "None; got '1k'",
        ),
    ],
)
def test_another_bound_is_refused_by_its_name_of_today(
    before: dict[str, Any], now: dict[str, Any], where: str, said: str, tmp_path: Path
) -> None:
    stored = config(tmp_path, constraints=before).to_stored()
    with pytest.raises(InputError) as refused:
        merged_for_resume(stored, config(tmp_path, constraints=now))
    problem, hint = refused.value.problems
    assert problem.where == f"constraints.{where}"
    assert problem.message == f"the study was made with {said}"
    assert hint.where == "resume"


def test_another_direction_is_refused(tmp_path: Path) -> None:
    stored, given = (
        config(tmp_path, objectives={"validation_accuracy": "maximise", name: word})
        for name, word in (("flops", "minimise"), ("macs", "maximise"))
    )
    with pytest.raises(InputError, match=r"objectives\.macs: .* 'minimise'; got 'maximise'"):
        merged_for_resume(stored.to_stored(), given)


def test_a_stored_bound_that_this_release_cannot_read_is_told_as_it_stands(tmp_path: Path) -> None:
    given = config(tmp_path)
    stored = given.to_stored() | {"constraints": {"latency": 3}}
    with pytest.raises(InputError, match=r"constraints\.latency: .* made with 3; got None"):
        merged_for_resume(stored, given)


def test_the_optimiser_of_a_protocol_has_two_spellings() -> None:
    assert Protocol.from_dict({"optimizer": "adamw"}) == Protocol.from_dict({"optimiser": "adamw"})
    with pytest.raises(InputError, match="optimizer"):
        Protocol.from_dict({"optimizer": "sgd"})
    with pytest.raises(InputError, match="optimizer"):
        Protocol.from_dict({"optimizer": "adamw", "optimiser": "adamw"})
