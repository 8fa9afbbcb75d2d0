"""The searchers and schedulers that a configuration can name are those that can be made."""

from typing import Any

import numpy as np
import pytest

from search.config import Config
from search.objectives import ACCURACY
from search.options import Options
from search.registry import Registry
from search.schedulers import SCHEDULERS, make_scheduler
from search.searchers import SEARCHERS, Task, make_searcher
from search.testing.toy_spaces import ToySpace
from space.errors import InputError
from tests.search.small import values

CHOICES: list[tuple[str, Registry[Any], str]] = [
    *(("searcher", SEARCHERS, name) for name in SEARCHERS.built_in),
    *(("scheduler", SCHEDULERS, name) for name in SCHEDULERS.built_in),
]
IDS = [f"{part}-{name}" for part, _, name in CHOICES]


@pytest.mark.parametrize(("part", "registry", "name"), CHOICES, ids=IDS)
def test_a_name_alone_is_the_choice_with_all_defaults(
    part: str, registry: Registry[Any], name: str
) -> None:
    config = Config.from_dict(values(**{part: name}))
    chosen: Options = getattr(config, part)
    assert chosen == registry.options({"name": name}) == registry.options(chosen)
    assert chosen.name == name
    assert config.to_dict()[part] == chosen.model_dump()
    assert getattr(Config.from_dict(config.to_dict()), part) == chosen


@pytest.mark.parametrize(("part", "registry", "name"), CHOICES, ids=IDS)
def test_every_option_has_a_default_and_words_that_say_what_it_is(
    part: str, registry: Registry[Any], name: str
) -> None:
    kind = registry.kind(name)
    for option in kind.Options.named():
        words = "".join(each.__doc__ or "" for each in kind.Options.__mro__)
        assert f" {option}: " in words, option
    options = registry.options(name).model_dump(exclude={"name"})
    if part == "searcher":
        made: Any = make_searcher(name, Task(ToySpace(), ACCURACY), 0, options)
        made = made.inner
    else:
        made = make_scheduler(name, ACCURACY, 9, options)
    assert type(made) is kind
    assert made.options.model_dump(exclude={"name"}) == options


@pytest.mark.parametrize("name", ["median", "asha", "hyperband", "moasha"])
def test_a_grace_beyond_the_end_is_refused(name: str) -> None:
    plain = values(scheduler={"name": name, "grace_epochs": 10_000})
    with pytest.raises(InputError, match=r"grace_epochs: must not exceed protocol\.epochs"):
        Config.from_dict(plain)


@pytest.mark.parametrize("number", [np.int64(7), np.int8(7), 7])
def test_whole_numbers_of_numpy_are_options_too(number: Any) -> None:
    found = SEARCHERS.options({"name": "tpe", "candidates": number})
    assert found.model_dump()["candidates"] == 7
    made: Any = make_searcher("tpe", Task(ToySpace(), ACCURACY), 0, {"candidates": number})
    assert made.inner.options.candidates == 7


def test_all_that_is_wrong_with_the_options_is_said_at_once() -> None:
    wrong = {"name": "evolution", "population": 0, "tournament": "x", "colour": 1}
    with pytest.raises(InputError) as refused:
        Config.from_dict(values(searcher=wrong))
    said = {problem.where: problem.message for problem in refused.value.problems}
    assert set(said) == {"searcher.population", "searcher.tournament", "searcher.colour"}
    assert "allowed: population, tournament, startup, two_moves" in said["searcher.colour"]
