"""`latency` of a configuration: two ways to write a limit, and what is refused."""

from typing import Any

import pytest

from search.config import Config
from search.config.differences import merged_for_resume
from search.driver.retraining import retraining_config
from search.numeric import parse_milliseconds
from space.errors import InputError
from tests.search.small import values


def read(**changes: Any) -> Config:
    return Config.from_dict(values(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"latency": {"device": "cpu", "at_most": "5 ms"}},
        {"latency": {"at_most": 5}},
        {"latency": {}, "constraints": {"latency": "0.005s"}},
        {"latency": {"threads": 1}, "constraints": {"latency": {"at_most": 5.0}}},
        {"constraints": {"latency": {"device": "cpu", "at_most": "5000us"}}},
        {"latency": {"at_most": "5ms"}, "constraints": {"latency": 5}},
    ],
)
def test_a_limit_may_be_written_in_several_ways(changes: dict[str, Any]) -> None:
    config = read(**changes)
    (bound,) = config.parsed_objectives.constraints
    assert (bound.name, bound.upper, bound.lower) == ("latency", 5.0, None)
    assert config.latency is not None
    assert config.latency.spec.to_dict()["device"] == "cpu"
    assert Config.from_dict(config.to_dict()).to_dict() == config.to_dict()
    merged, remarks = merged_for_resume(config.to_stored(), read(latency={"at_most": "5 ms"}))
    assert merged.parsed_objectives == config.parsed_objectives
    assert remarks == []


def test_latency_may_be_an_objective_alone_or_beside_a_limit() -> None:
    wanted = {"validation_accuracy": "maximise", "latency": "minimise"}
    config = read(objectives=wanted, latency={"runtime": "onnxruntime", "threads": 2})
    assert config.parsed_objectives.names == ("validation_accuracy", "latency")
    assert config.latency is not None
    assert config.latency.spec.words == "batch 1, float32, onnxruntime, 2 threads"
    config = read(objectives=wanted, latency={"device": "cuda", "at_most": "2 ms"})
    assert config.latency is not None
    assert config.latency.device == "cuda:0"


NOBODY = "nothing measures it: say on which device by latency: {device: cpu}"


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"constraints": {"latency": 5}}, "constraints.latency", NOBODY),
        ({"objectives": {"latency": "minimise"}}, "objectives.latency", NOBODY),
        ({"latency": {"device": "cpu"}}, "latency", "must have at_most, or objectives"),
        (
            {"latency": {"at_most": "soon"}},
            "constraints.latency.at_most",
            "a time above 0 such as 5 ms",
        ),
        ({"latency": {"at_most": 0}}, "constraints.latency.at_most", "a time above 0 such as 5 ms"),
        ({"latency": {"at_most": 1, "speed": 2}}, "latency.speed", ""),
        ({"latency": {"at_most": 1, "parts": 3}}, "latency.parts", ""),
        ({"latency": {"at_most": 1, "networks": 3}}, "latency.networks", ""),
        (
            {"latency": {"at_most": 5}, "constraints": {"latency": 6}},
            "constraints.latency",
            "give one of them",
        ),
        (
            {"latency": {"at_most": 5}, "constraints": {"latency": {"device": "cpu"}}},
            "constraints.latency",
            "give it once",
        ),
        (
            {"latency": {}, "constraints": {"latency": {"at_least": 5}}},
            "constraints.latency",
            "nothing is too fast",
        ),
        (
            {"objectives": {"latency": "maximise"}, "latency": {}},
            "objectives.latency",
            "must be minimise",
        ),
    ],
)
def test_what_is_refused(changes: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(**changes)
    problems = {problem.where: problem.message for problem in refused.value.problems}
    assert where in problems
    assert said in problems[where]


def test_another_device_or_limit_is_another_study() -> None:
    stored = read(latency={"at_most": 5}).to_stored()
    for changes, where in (
        ({"latency": {"at_most": 5, "threads": 2}}, "latency.threads"),
        ({"latency": {"at_most": 6}}, "constraints.latency"),
        ({}, "constraints.latency"),
    ):
        with pytest.raises(InputError) as refused:
            merged_for_resume(stored, read(**changes))
        assert any(problem.where.startswith(where) for problem in refused.value.problems)


def test_a_study_without_latency_is_stored_as_before() -> None:
    assert "latency" not in read().to_dict()


@pytest.mark.parametrize(
    ("written", "ms"), [(5, 5.0), ("5", 5.0), ("800 us", 0.8), ("1.5s", 1500.0), ("2e1 ms", 20.0)]
)
def test_times(written: Any, ms: float) -> None:
    assert parse_milliseconds(written) == pytest.approx(ms)


@pytest.mark.parametrize("written", [True, None, "", "5 min", "-1", "nan", 0, float("inf"), [5]])
def test_no_times(written: Any) -> None:
    with pytest.raises(ValueError, match="a time above 0 such as 5 ms"):
        parse_milliseconds(written)


def test_a_full_training_may_be_on_a_machine_that_cannot_measure() -> None:
    objectives = {"latency": "minimise"}
    bounds = {"params": "1M"}
    search = read(objectives=objectives, constraints=bounds, latency={"at_most": 5})
    full = retraining_config(search, "full", search.protocol, 3)
    assert full.latency is None
    assert full.parsed_objectives.names == ("validation_accuracy", "params")
