"""Values that look like others: refused by the name of their field, or read as YAML 1.2 does."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, TypeAdapter
from pydantic.fields import FieldInfo

from search.config import Config, load_config
from search.config.parts import Resources, Section
from search.options import Options
from search.searchers import SEARCHERS
from space import Architecture, InputError, Mixer
from space.design.space_file import SpaceFile
from tests.search.small import SPACE, values
from trainers import DataConfig, Protocol
from trainers.data.registry import PLACES, kind_of
from trainers.protocol import Augmentation


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(values()))
    return path


def refusals(file: Path, *overrides: str, more: str = "") -> dict[str, str]:
    """What is said of each field when the file, with more lines, is loaded."""
    file.write_text(file.read_text() + more)
    with pytest.raises(InputError) as refused:
        load_config(file, overrides=overrides)
    return {problem.where: problem.message for problem in refused.value.problems}


# --- the kinds that issue 10 lists -------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("protocol.learning_rate=on", "must be a number, not text; got 'on'"),
        ("protocol.weight_decay=yes", "must be a number, not text; got 'yes'"),
        ("resources.gpus_per_trial=true", "must be a number; got true"),
        (
            "resources.gpus_per_trial=1.5",
            "must be 0 to 1 (0.25 lets four trials share one GPU)",
        ),
        ("resources.gpus_per_trial=1.0000001", "which train a trial together; got 1.0000001"),
        ("resources.processes_per_trial=0", "must be at least 1; got 0"),
        (
            "resources.compile=yes",
            "must be true, false, reduce-overhead or max-autotune; got 'yes'",
        ),
        ("resources.gpus_per_trial=0.00001", "must be 0, or at least 0.0001: Ray gives no fine"),
        ("resources.cpus_per_trial=0.00001", "0.0001"),
        ("trials=1:30", "must be an integer, not text; got '1:30'"),
        (
            "time_limit=1:30",
            "must be seconds above 0, or a text such as 90s, 30m, 4h or 2d; got '1:30'",
        ),
        ("resources.autoscaling=yes", "must be true or false, not text; got 'yes'"),
        ("data.download=on", "must be true or false, not text; got 'on'"),
        ("random_baseline=10%", "must be a number, not text; got '10%'"),
        ("study=10", "must be text, in quotes; got 10"),
        (
            "constraints.params=1:30",
            "must be a positive number such as 250000, 250k or 4.5G; got '1:",
        ),
        ("constraints.params=1_000", "250k or 4.5G; got '1_000'"),
        ("space.stages[0].width=[on]", "must be an integer, not text; got 'on'"),
        ("space.limits={params: yes}", "250k or 4.5G; got 'yes'"),
    ],
)
def test_what_only_looks_right_is_refused_by_its_field(
    file: Path, override: str, message: str
) -> None:
    ((where, said),) = refusals(file, override).items()
    field = override.partition("=")[0]
    assert where.replace("[0]", "").startswith(field.replace("[0]", ""))
    assert message in said


def test_numbers_are_read_as_yaml_1_2_does(file: Path) -> None:
    given = ["trials=010", "seed=0x1F", "protocol.learning_rate=1e-3", "protocol.weight_decay=.5"]
    config = load_config(file, overrides=[*given, "protocol.clip_norm=5.", "data.limit_train=+90"])
    assert (config.trials, config.seed, config.data.limit_train) == (10, 31, 90)
    protocol = config.protocol
    assert (protocol.learning_rate, protocol.weight_decay, protocol.clip_norm) == (0.001, 0.5, 5.0)


def test_words_of_yaml_1_1_are_names_like_others(file: Path) -> None:
    assert load_config(file, overrides=["study=on"]).study == "on"
    assert load_config(file, overrides=["study=2024-01-01"]).study == "2024-01-01"
    assert load_config(file, overrides=["warm_start=[no, y]"]).warm_start == ("no", "y")


# --- every number, integer and flag ------------------------------------------------------------


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a model that hold one number, integer or flag: the path and "float", …"""
    for name, field in model.model_fields.items():
        kind = simple(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{prefix}{name}.")
        elif kind in (float, int, bool) and not has_words_of_its_own(field):
            yield f"{prefix}{name}", kind.__name__


def has_words_of_its_own(field: FieldInfo) -> bool:
    """Whether the field reads more than numbers, as a duration does."""
    return any(isinstance(said, BeforeValidator) for said in field.metadata)


def simple(annotation: Any) -> Any:
    """The type without what is said beside it, and without None."""
    if get_origin(annotation) is Annotated:
        return simple(get_args(annotation)[0])
    others = [each for each in get_args(annotation) if each is not type(None)]
    is_optional = len(others) == 1 and len(get_args(annotation)) == 2
    return simple(others[0]) if is_optional else annotation


def number_schemas(adapter: TypeAdapter[Any]) -> Iterator[dict[str, Any]]:
    """Every part of a schema that reads a number, an integer or a flag."""
    waiting: list[Any] = [adapter.core_schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("type") in ("float", "int", "bool"):
                yield part
            waiting += [value for key, value in part.items() if key not in ("default", "metadata")]
        elif isinstance(part, list | tuple):
            waiting += part


DATA = [kind_of(name).Config for name in PLACES]
SECTIONS: dict[str, type[BaseModel]] = {"protocol": Protocol, "data": DataConfig}
FIELDS = {
    **dict(leaves(Config)),
    **{f"protocol.{path}": kind for path, kind in leaves(Protocol)},
    **{f"data.{path}": kind for each in DATA for path, kind in leaves(each)},
}
DATA_FIELDS = {name for each in DATA for name in each.model_fields}
NEVER = ["on", "yes", "true", "'0.1'", "1:30", "1_000", "0b1", "0.1.0", ".nan", ".inf", "[1]", "''"]
WRONG = {
    "float": NEVER,
    "int": [*NEVER, "1.0", "1e3", "'3'", "5."],
    "bool": ["on", "yes", "no", "off", "1", "0", "'true'", "y", "tRUE", "null"],
}


def test_the_fields_are_found() -> None:
    assert FIELDS["protocol.augmentation.flip"] == FIELDS["resources.cpus_per_trial"] == "float"
    assert FIELDS["trials"] == FIELDS["seeds.searcher"] == FIELDS["data.workers"] == "int"
    assert FIELDS["resources.autoscaling"] == FIELDS["data.download"] == "bool"
    assert len(FIELDS) > 30
    assert "time_limit" not in FIELDS


@pytest.mark.parametrize("kind", sorted(WRONG))
def test_no_field_takes_what_is_no_value_of_its_kind(file: Path, kind: str) -> None:
    fields = [path for path, each in FIELDS.items() if each == kind]
    for value in WRONG[kind]:
        found = refusals(file, *(f"{path}={value}" for path in fields))
        assert set(fields) <= set(found), (value, set(fields) - set(found))


PARTS = [
    *Section.__subclasses__(),
    *(each for p in Section.__subclasses__() for each in p.__subclasses__()),
]


@pytest.mark.parametrize(
    "kind",
    [*PARTS, Protocol, Augmentation, *DATA, SpaceFile, Architecture, Mixer],
    ids=lambda kind: kind.__name__,
)
def test_every_number_and_flag_of_every_model_is_strict(kind: Any) -> None:
    loose = [schema for schema in number_schemas(TypeAdapter(kind)) if not schema.get("strict")]
    assert not loose


# --- durations ---------------------------------------------------------------------------------


@given(st.floats(min_value=1e-9, max_value=1e300) | st.integers(1, 10**30))
@settings(max_examples=60, deadline=None)
def test_a_duration_is_stored_and_read_back(seconds: float) -> None:
    config = Config.from_dict(values(time_limit=seconds))
    assert Config.from_dict(config.to_dict()).time_limit == config.time_limit == float(seconds)


@pytest.mark.parametrize("text", ["9" * 400, "٣", "1_0", ".inf", "1:30", "90 S", "1h30m"])
def test_no_such_duration(text: str) -> None:
    with pytest.raises(InputError, match="time_limit: must be seconds"):
        Config.from_dict(values(time_limit=text))


# --- the field, the value and what is allowed ---------------------------------------------------

METRIC = (
    "validation_accuracy, validation_loss, params, macs, training_bytes, inference_bytes, latency"
)
LIMITS = "params, macs (flops), training_bytes, inference_bytes"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("objectives.x=5", f"objectives.x: unknown metric; allowed: {METRIC}"),
        ("objectives.parms=minimise", f"allowed: {METRIC}; did you mean 'params'?"),
        (
            "objectives.macs=minimum",
            "objectives.macs: must be 'maximise' or 'minimise'; got 'minimum'; "
            "did you mean 'minimise'?",
        ),
        ("objectives=[a]", "from name to 'maximise' or 'minimise'; got ['a']"),
        ("objectives=macs", "from name to 'maximise' or 'minimise'; got 'macs'"),
        ("objectives={}", "must name at least one metric, with 'maximise' or 'minimise'; got {}"),
        ("objectives={1: minimise}", "objectives: a name must be text; got 1"),
        ("constraints=[1]", "constraints: must be a mapping from name to bound; got [1]"),
        ("constraints=null", "constraints: must be a mapping from name to bound; got null"),
        ("constraints.params=null", "such as 250000, 250k or 4.5G; got null"),
        ("constraints.params={most: 3}", "at_most, at_least or both; got {'most': 3}"),
        ("searcher=[tpe]", "a name or a mapping of fields; got ['tpe']; allowed: 'random', 'tpe'"),
        ("protocol.optimizer=x", "protocol.optimiser: must be 'adamw'; got 'x'"),
        (
            "protocol.judged_by=lst",
            "protocol.judged_by: must be 'last' or 'best'; got 'lst'; did you mean 'last'?",
        ),
        ("protocol.content_hash=x", "must match pattern '^[0-9a-f]{16}$'; got 'x'"),
        ("space.stages=[]", "space.stages: must have at least 1 item; got []"),
        ("space.limits.parms=3", f"unknown limit; allowed: {LIMITS}; did you mean 'params'?"),
        ("space.limits=[1]", f"space.limits: must be a mapping of {LIMITS}; got [1]"),
        ("space=null", "space: must be a mapping of fields; got null"),
        ("resources=[1]", "resources: must be a mapping of fields; got [1]"),
    ],
)
def test_a_refusal_says_the_field_the_value_and_what_is_allowed(
    file: Path, override: str, said: str
) -> None:
    ((where, message),) = refusals(file, override).items()
    assert said in f"{where}: {message}"


@pytest.mark.parametrize("value", ["x", "[x]", "[[x]]", "{x: 1}", "-1", "1.5", "null", "true"])
def test_nothing_is_said_in_the_words_of_pydantic(file: Path, value: str) -> None:
    for part, model in {"": Config, **SECTIONS, "space": SpaceFile}.items():
        for name in model.model_fields if part != "data" else DATA_FIELDS:
            try:
                load_config(file, overrides=[f"{part}.{name}".removeprefix(".") + f"={value}"])
            except InputError as refused:
                for problem in refused.problems:
                    assert not re.search("Input|should|valid |[A-Z]rror", problem.message)


class Named(Options):
    """An option of a package that is a mapping."""

    weights: dict[str, float]


def test_a_key_of_a_mapping_is_refused_in_its_place() -> None:
    with pytest.raises(InputError) as refused:
        Named.read("walk", {"weights": {1: 2.0}})
    assert str(refused.value) == "weights: a key must be text, in quotes; got 1"


# --- a part without its name -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "where", "names"),
    [
        ("searcher={startup_trials: 3}", "searcher.name", "'random', 'tpe'"),
        ("scheduler={grace_epochs: 1}", "scheduler.name", "'none', 'median', 'asha'"),
        ("searcher={}", "searcher.name", "'random', 'tpe'"),
    ],
)
def test_a_part_without_its_name_says_to_add_it(
    file: Path, override: str, where: str, names: str
) -> None:
    said = refusals(file, override)[where]
    assert "add 'name'" in said
    assert names in said


@pytest.mark.parametrize("value", ["3", "null", "[tpe]", "true"])
def test_a_part_that_is_no_part_lists_those_there_are(file: Path, value: str) -> None:
    said = refusals(file, f"searcher={value}")["searcher"]
    assert said.startswith("must be a name or a mapping of fields")
    assert "allowed: 'random', 'tpe'" in said


def test_an_override_reaches_into_a_part_that_is_a_name_alone(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(values(searcher="tpe")))
    config = load_config(path, overrides=["searcher.startup_trials=3"])
    assert config.searcher == SEARCHERS.options({"name": "tpe", "startup_trials": 3})
    assert load_config(path, overrides=["searcher.name=random"]).searcher.name == "random"


# --- paths -------------------------------------------------------------------------------------

PATHS = ("checkpoints={}", "data={{source: full, folder: {}}}", "space={}")
LONG = "x" * 300
DEEP = "x/" * 3000


@pytest.mark.parametrize("override", PATHS)
@pytest.mark.parametrize(
    ("path", "message"),
    [
        (r'"a\0b"', "is not allowed in text"),
        (r'"a\ud800"', "is not allowed in text"),
        (LONG, "too long"),
        (DEEP, "too long"),
        ("''", "must be the text of a path"),
        ("~no-such-user/x", "nobody's home"),
    ],
)
def test_no_such_path(file: Path, override: str, path: str, message: str) -> None:
    (said,) = [f"{where}: {what}" for where, what in refusals(file, override.format(path)).items()]
    assert message in said
    assert override.split("=")[0] in said


def test_a_tilde_is_the_home_in_every_path(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = file.parent / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "space.yaml").write_text(yaml.safe_dump(SPACE))
    (home / "study.yaml").write_text(file.read_text())
    given = ["checkpoints=~/ckpt", "data={source: full, folder: ~/data}", "space=~/space.yaml"]
    config = load_config(Path("~/study.yaml"), overrides=given)
    assert config.checkpoints == home / "ckpt"
    assert config.data.folder == home / "data"
    assert Config.from_dict(config.to_dict()).checkpoints == home / "ckpt"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"protocol": {"batch_size": 50}, "resources": {"processes_per_trial": 4}}, "batch_size"),
        ({"protocol": {"batch_norm_parts": 2}}, "batch_norm_parts"),
        ({"protocol": {"precision": "float16"}}, "precision"),
    ],
)
def test_what_the_processes_of_a_trial_cannot_do_is_refused(
    changes: dict[str, Any], where: str
) -> None:
    with pytest.raises(InputError) as error:
        Config.from_dict(values(**changes))
    assert [problem.where for problem in error.value.problems] == [f"protocol.{where}"]


@pytest.mark.parametrize(
    ("resources", "processes"),
    [
        ({}, 1),
        ({"gpus_per_trial": 0.25}, 1),
        ({"gpus_per_trial": 4}, 4),
        ({"processes_per_trial": 2}, 2),
        ({"gpus_per_trial": 4, "processes_per_trial": 4}, 4),
    ],
)
def test_there_is_a_process_for_every_gpu(resources: dict[str, Any], processes: int) -> None:
    assert Resources(**resources).processes == processes


@pytest.mark.parametrize("gpus", [0.5, 1, 4])
def test_other_numbers_of_processes_than_gpus_are_refused(gpus: float) -> None:
    resources = {"gpus_per_trial": gpus, "processes_per_trial": 3}
    with pytest.raises(InputError, match=r"resources.*processes_per_trial: must be one for each"):
        Config.from_dict(values(resources=resources))
