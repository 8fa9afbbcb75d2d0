"""The searchers and schedulers that a configuration can name are those that can be made."""

import inspect
from typing import Any, get_args

import pytest

from search.config import Config
from search.config.config import SchedulerConfig, SearcherConfig
from search.named_choice import class_named
from search.objectives import ACCURACY
from search.schedulers import SCHEDULERS, make_scheduler
from search.schedulers.make import _PLACES as SCHEDULER_PLACES
from search.searchers.make import _PLACES as SEARCHER_PLACES
from space.errors import InputError
from tests.search.small import values

SEARCHER_PARTS = get_args(get_args(SearcherConfig)[0])
SCHEDULER_PARTS = get_args(get_args(SchedulerConfig)[0])
CHOICES = [(part, SEARCHER_PLACES) for part in SEARCHER_PARTS]
CHOICES += [(part, SCHEDULER_PLACES) for part in SCHEDULER_PARTS]


@pytest.mark.parametrize(
    ("part", "places"), CHOICES, ids=lambda each: getattr(each, "__name__", "")
)
def test_options_and_defaults_are_those_of_the_class(part: Any, places: dict[str, str]) -> None:
    options = part().model_dump()
    kind = class_named("", options.pop("name"), places)
    parameters = inspect.signature(kind).parameters.values()
    expected = {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    assert options == expected


def test_every_scheduler_can_be_named() -> None:
    assert {part().name for part in SCHEDULER_PARTS} == set(SCHEDULERS)


@pytest.mark.parametrize("name", ["median", "asha", "hyperband", "moasha"])
def test_a_grace_beyond_the_end_is_refused(name: str) -> None:
    plain = values(scheduler={"name": name, "grace_epochs": 10_000})
    with pytest.raises(InputError, match=r"grace_epochs: must not exceed protocol\.epochs"):
        Config.from_dict(plain)


@pytest.mark.parametrize("part", SCHEDULER_PARTS, ids=lambda part: part.__name__)
def test_what_a_configuration_says_makes_a_scheduler(part: Any) -> None:
    options = part().model_dump()
    assert make_scheduler(options.pop("name"), ACCURACY, 9, options).fidelities == 9
