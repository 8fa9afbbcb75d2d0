"""The benchmark's command runs and tells what it measured; its figures are for people."""

import json

import pytest

from benchmarks import cost_model

SMALL = "--singles 20 --batch 200 --repeats 2 --peers 1 --peer-repeats 1"
SPACES = [
    str(cost_model.ROOT / "configs" / "spaces" / name)
    for name in ("fashion-quickstart.yaml", "every-cell.yaml")
]


@pytest.mark.thorough
def test_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SMALL.split(), "--space", *SPACES]
    cost_model.main(words)
    shown = capsys.readouterr().out
    for row in ("fvcore", "FlopCounterMode on meta", "ours, singly", "ours, in batch"):
        assert row in shown
    cost_model.main([*words, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert list(found["spaces"]) == SPACES
    for told in found["spaces"].values():
        rows = {row["name"]: row for row in told}
        assert rows["FlopCounterMode on meta"]["agreeing"] == "1 of 1"
        assert rows["ours, in batch"]["agreeing"] == "20 of 20"
        assert rows["ours, in batch"]["low"] <= rows["ours, in batch"]["high"]
    assert "Python" in found["machine"]
