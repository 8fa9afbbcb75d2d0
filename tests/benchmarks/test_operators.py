"""The benchmark of operators, on one small map of each."""

import json
import math
import subprocess
import sys

import pytest
import torch

from benchmarks.operators import comparison as benchmark
from benchmarks.operators.bounds import Bounds
from benchmarks.operators.cases import Case, cases
from benchmarks.operators.contenders import contenders
from space import Mixer
from space.native_library import compiler
from space.operators import TokenMixer

CONVOLUTIONS = ("Conv2d", "Conv2d of B·C groups")


@pytest.mark.thorough
def test_every_contender_computes_the_same_and_is_timed() -> None:
    command = [sys.executable, "-m", "benchmarks.operators", "--tiny", "--rounds", "1", "--json"]
    ended = subprocess.run(
        [*command, "--seconds", "0.1"], check=True, capture_output=True, text=True
    )
    found = json.loads(ended.stdout)
    assert found["bounds"]["bytes_per_second"] > 0
    assert len(found["rows"]) == len(list(cases(tiny=True))) == 10
    others = {name for row in found["rows"] for name in row["ratios"]}
    formats = {f"{name}{words}" for name in CONVOLUTIONS for words in ("", ", channels last")}
    assert others == {"plain", "fused", "unfold", "SDPA"} | formats
    for row in found["rows"]:
        for times in row["times"].values():
            assert list(times) == list(benchmark.PASSES)
            assert all(0 < each["low"] <= each["median"] <= each["high"] for each in times.values())
        assert max(row["errors"].values()) < 1e-5
        assert row["bound_ms"] > 0


def test_what_computes_something_else_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(each for each in cases(tiny=True) if each.family == "Neighbourhood attention")
    wrong = "benchmarks.operators.contenders.unfold_sum"
    monkeypatch.setattr(wrong, lambda weights, x, kernel_size: x * 1.001)
    bounds = Bounds(1e9, 1e9)
    with pytest.raises(SystemExit, match=r"Neighbourhood attention 3.*'unfold'"):
        benchmark.measured(case, torch.device("cpu"), torch.float32, bounds, 1, 0)


def test_the_bound_counts_what_must_be_moved_or_multiplied() -> None:
    mixer = Mixer.named("DW-S Conv.", kernel_size=3, bias=False)
    case = Case("DW-S Conv.", mixer, 4, 5, 2)
    moved = 4 * (2 * 2 * 4 * 25 + 4 * 9)
    assert math.isclose(Bounds(1000, 1e12).milliseconds(case, 4), moved)
    assert math.isclose(Bounds(1e15, 1000).milliseconds(case, 4), 2 * 4 * 25 * 9)
    inhomogeneous = Mixer.named("Dynamic Local-S MLP", kernel_size=3, heads=2, bias=False)
    other = Case("Dynamic Local-S MLP", inhomogeneous, 4, 5, 2)
    params = sum(each.numel() for each in TokenMixer(inhomogeneous, 4, other.size).parameters())
    moved = 4 * (2 * (2 * 4 * 25 + 2 * 2 * 9 * 25) + params)
    assert math.isclose(Bounds(1000, 1e12).milliseconds(other, 4), moved)


@pytest.mark.skipif(compiler() is None, reason="no C++ compiler here")
def test_ours_is_fused_where_there_are_kernels() -> None:
    case = next(each for each in cases(tiny=True) if each.family == "Dynamic Local-S MLP")
    module = TokenMixer(case.mixer, case.width, case.size)
    words = []
    for each in contenders(case, module):
        with each.within():
            words.append((each.name, str(module).split(", ")[3].split("\n")[0]))
    assert words[:2] == [("ours", "fused"), ("plain", "plain")]


@pytest.mark.skipif(compiler() is None, reason="no C++ compiler here")
def test_the_fused_path_stands_beside_what_is_left_to_torch() -> None:
    names = {}
    for case in cases(tiny=True):
        if case.family in ("DW-S Conv.", "Dynamic DW-S Conv."):
            module = TokenMixer(case.mixer, case.width, case.size)
            key = case.family, case.mixer.kernel_size
            names[key] = [each.name for each in contenders(case, module)]
    convolutions = ["Conv2d", "Conv2d, channels last"]
    own = [f"Conv2d of B·C groups{words}" for words in ("", ", channels last")]
    assert names == {
        ("DW-S Conv.", 3): ["ours", "fused", *convolutions],
        ("DW-S Conv.", 11): ["ours", *convolutions],
        ("Dynamic DW-S Conv.", 3): ["ours", *own, "unfold"],
        ("Dynamic DW-S Conv.", 11): ["ours", *own],
    }


def test_a_family_that_there_is_not_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks.operators", "--family", "pooling"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "no operator has such a name; there are DW-S Conv." in ended.stderr
