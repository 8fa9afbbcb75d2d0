"""A weight source that was only just added, on Ray."""

import json
from pathlib import Path

import pytest
import yaml

from tests.search.small import values
from tests.space.test_a_new_weight_source import packages, printed
from tests.space.toy_checks import SPACE

__all__ = ["packages"]


@pytest.mark.slow
@pytest.mark.ray
def test_it_is_trained_on_ray(packages: Path, tmp_path: Path) -> None:
    """Where workers of their own find the packages."""
    lines = [line for line in SPACE["mixers"] if line["operator"].endswith("toy")]
    content = values(
        store="tiny.db",
        space=SPACE | {"name": "toy", "mixers": lines, "input": {"channels": 1, "size": 28}},
        data={"name": "fashion-mnist", "limit_train": 50, "limit_validation": 50},
        protocol={"epochs": 1, "batch_size": 25},
        trials=2,
    )
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(content))
    search = ("-m", "search")
    printed(packages, *search, "run", "tiny.yaml", cwd=tmp_path)
    asked = ("best", "--store", "tiny.db", "--where", "dynamics = toy", "--json")
    assert len(json.loads(printed(packages, *search, *asked, cwd=tmp_path))) == 2
