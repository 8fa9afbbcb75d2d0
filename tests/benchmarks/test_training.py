"""The benchmark of training steps, on small networks of a few channels."""

import json
import subprocess
import sys

import pytest

from benchmarks.operators.stopwatch import Milliseconds
from benchmarks.training import Row, contenders, means, settings, small_architecture, table
from space.networks import build


@pytest.mark.thorough
def test_steps_of_all_small_networks_are_timed() -> None:
    command = [sys.executable, "-m", "benchmarks.training", "--tiny", "--size", "small", "--json"]
    ended = subprocess.run(
        [*command, "--rounds", "1", "--seconds", "0.1"], check=True, capture_output=True, text=True
    )
    found = json.loads(ended.stdout)
    assert len(found["rows"]) == 6
    for row in found["rows"]:
        assert row["times"].keys() == {"ours", "plain"}
        assert all(each["median"] > 0 for each in row["times"].values())
        assert row["peak_bytes"] == {}


def test_the_networks_are_six_of_each_size() -> None:
    every = list(settings(["small", "224"], None, gpu=False, tiny=False))
    assert [each.size for each in every] == ["small"] * 6 + ["224"] * 6
    assert len({each.name for each in every}) == 12
    assert {each.architecture.input.height for each in every} == {28, 224}
    network = build(small_architecture("Local ViT"))
    assert 50_000 < sum(each.numel() for each in network.parameters()) < 500_000


def test_the_table_has_speeds_and_how_long_others_take() -> None:
    times = {"ours": Milliseconds(100, 80, 125, 9), "plain": Milliseconds(150, 140, 160, 9)}
    rows = [Row("swin_tiny", "224", 2, times | {"timm": Milliseconds(50, 50, 50, 9)}, {})]
    rows.append(Row("ViT", "small", 64, times, {}))
    text = table(rows)
    assert "| swin_tiny |    224 |     2 |     20 (16–25) |       1.50× |      0.50× |" in text
    assert "| ViT       |  small |    64 |  640 (512–800) |       1.50× |          – |" in text
    assert means(rows) == (
        "Geometric means. 224: plain takes 1.50× as long, n = 1; 224: timm takes 0.50× as long, "
        "n = 1; small: plain takes 1.50× as long, n = 1."
    )


def test_a_compiled_network_has_a_column_of_its_own() -> None:
    times = {"ours": Milliseconds(100, 80, 125, 9), "plain": Milliseconds(150, 140, 160, 9)}
    compiled = times | {"compiled, reduce-overhead": Milliseconds(40, 40, 40, 9)}
    rows = [Row("ViT", "small", 64, times, {}), Row("MLP", "small", 64, compiled, {})]
    assert list(contenders(rows)) == ["plain", "timm", "compiled, reduce-overhead"]
    header, _, first, second = table(rows).splitlines()
    assert "compiled, reduce-overhead takes" in header
    assert [line.split("|")[-2].strip() for line in (first, second)] == ["–", "0.40×"]
    assert "compiled, reduce-overhead takes 0.40× as long, n = 1" in means(rows)
