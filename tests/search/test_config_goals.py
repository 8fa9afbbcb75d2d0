"""One figure has two words, flops and macs; a goal that is given by both is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from search.config import Config, load_config
from space.errors import InputError
from tests.search.small import values

CONSTRAINT = "constraints.macs: is the same figure as constraints.flops, give it once"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"constraints": {"flops": "500k", "macs": {"at_least": "600k"}}}, CONSTRAINT),
        ({"constraints": {"flops": "3M", "macs": "3M"}}, CONSTRAINT),
        (
            {"constraints": {"macs": "3M", "flops": "6M"}},
            "constraints.flops: is the same figure as constraints.macs, give it once",
        ),
        (
            {"objectives": {"macs": "minimise", "flops": "maximise"}, "searcher": "evolution"},
            "objectives.flops: is the same figure as objectives.macs, give it once",
        ),
    ],
)
def test_a_figure_by_both_of_its_names_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        Config.from_dict(values(**given))
    assert message in str(refused.value).splitlines()


def test_the_second_name_from_the_command_line_is_refused_too(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(values(constraints={"flops": "500k"})))
    with pytest.raises(InputError) as refused:
        load_config(file, overrides=["constraints.macs={at_least: 600k}"])
    assert str(refused.value) == CONSTRAINT


def test_either_name_alone_is_the_same_goal() -> None:
    flops, macs = (Config.from_dict(values(constraints={name: "9M"})) for name in ("flops", "macs"))
    assert flops.goals == macs.goals
    assert flops.goals.constraints[0].name == "macs"
