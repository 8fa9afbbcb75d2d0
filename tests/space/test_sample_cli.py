"""`python -m space sample` of spaces that have few networks."""

import json
from pathlib import Path

import pytest

from space import DesignSpace
from tests.space.test_space_cli import run, written


def test_sample_gives_every_network_where_no_more_are_feasible(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    small = {
        "input": {"channels": 1, "size": 8},
        "classes": 2,
        "stages": [{"depth": [1, 2, 3], "width": [4, 8, 12], "mixers": ["vit", "mlp"]}],
        "limits": {"params": 4000},
    }
    path = written(tmp_path / "small.json", small)
    space = DesignSpace.from_dict(small)
    assert 0 < space.count() < space.size_hint()
    number = space.count() + 1
    code, out, err = run(capsys, "sample", path, "-n", str(number), "--json")
    assert (code, err) == (0, f"Only {space.count():,} distinct networks were met.\n")
    assert {row["id"] for row in json.loads(out)} == {point.id for point in space.enumerate()}


def test_sample_says_when_there_are_no_more(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    small = {
        "input": {"channels": 1, "size": 8},
        "classes": 2,
        "block_type": "conv",
        "mixers": ["vit", "mlp"],
        "stages": [{"depth": 1, "width": 4}],
    }
    code, _, err = run(capsys, "sample", written(tmp_path / "small.json", small))
    assert code == 0
    assert "Only 2 distinct networks were met." in err
